/* SPDX-License-Identifier: MIT */
// Finds models on the hub and downloads them.
import { useEffect } from 'preact/hooks';
import { connection, downloads, models } from '../server/store';
import { bytes, count, plural } from '../ui/format';
import { isOnDisk, type Offer } from './discover';
import {
  choose,
  failure,
  get,
  offers,
  problems,
  query,
  search,
  searched,
  searching,
} from './discover-state';
import './discover.css';
import { Downloads } from './downloads';

function SearchForm() {
  return (
    <form
      class="row search"
      role="search"
      onSubmit={(e) => {
        e.preventDefault();
        void search();
      }}
    >
      <input
        type="search"
        class="grow"
        aria-label="Search for models"
        aria-describedby="discover-hint"
        placeholder="Words, owner/repo, or the address of a model"
        value={query.value}
        onInput={(e) => {
          query.value = e.currentTarget.value;
        }}
      />
      <button type="submit" class="main" disabled={connection.value !== 'live'}>
        Search
      </button>
    </form>
  );
}

function Quantization({ offer: o }: { offer: Offer }) {
  if (o.quantizations.length < 2) return <>{o.quantization || '–'}</>;
  return (
    <select
      aria-label={`Quantization of ${o.repo}`}
      value={o.quantization}
      onChange={(e) => void choose(o, e.currentTarget.value)}
    >
      {!o.quantizations.includes(o.quantization) && <option value={o.quantization}>–</option>}
      {o.quantizations.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Fits({ fits }: { fits: boolean | null }) {
  if (fits === null) return <>–</>;
  return fits ? (
    <span class="tag idle">fits</span>
  ) : (
    <span class="tag loading">larger than the memory</span>
  );
}

function Popularity({ offer: o }: { offer: Offer }) {
  if (o.downloads === null) return null;
  return (
    <span class="sub">
      {plural(o.downloads, 'download')} · {plural(o.likes ?? 0, 'like')}
    </span>
  );
}

function Row({ offer: o }: { offer: Offer }) {
  const running = downloads.value.some((d) => d.model === o.repo && d.status === 'downloading');
  const problem = problems.value[o.repo];
  return (
    <tr data-offer={o.repo}>
      <th scope="row">
        <span class="key">{o.repo}</span>
        {isOnDisk(o.repo, models.value ?? []) && <span class="tag idle">on disk</span>}
        {running && <span class="tag loading">downloading</span>}
        <Popularity offer={o} />
        <span aria-live="polite">{problem && <span class="wrong">{problem}</span>}</span>
      </th>
      <td data-label="Quantization">
        <Quantization offer={o} />
      </td>
      <td data-label="Size" class="number">
        {o.size === null ? '–' : bytes(o.size)}
      </td>
      <td data-label="Memory">
        <Fits fits={o.fits} />
      </td>
      <td class="actions">
        <button
          type="button"
          disabled={connection.value !== 'live'}
          aria-label={`Download ${o.repo}`}
          onClick={() => void get(o)}
        >
          Download
        </button>
      </td>
    </tr>
  );
}

function Table() {
  return (
    <table class="records">
      <caption class="hidden">Models that were found</caption>
      <thead>
        <tr>
          <th scope="col">Model</th>
          <th scope="col">Quantization</th>
          <th scope="col" class="number">
            Size
          </th>
          <th scope="col">Memory</th>
          <th scope="col">
            <span class="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {offers.value.map((o) => (
          <Row key={o.repo} offer={o} />
        ))}
      </tbody>
    </table>
  );
}

function statusText(): string {
  if (searching.value) return 'Searching…';
  if (searched.value === null) return '';
  if (searched.value === '') return 'The models that are downloaded most:';
  return offers.value.length === 0
    ? `Nothing was found for “${searched.value}”.`
    : `${count(offers.value.length)} found for “${searched.value}”:`;
}

export function Discover() {
  const live = connection.value === 'live';
  useEffect(() => {
    if (live && searched.peek() === null && !searching.peek()) void search();
  }, [live]);
  return (
    <section class="discover" aria-labelledby="discover-title">
      <h2 id="discover-title">Discover models</h2>
      <SearchForm />
      <p class="hint" id="discover-hint">
        GGUF models of Hugging Face. The server downloads them, also while this page is closed; then
        they are listed under <a href="#models">Models</a>.
      </p>
      <Downloads />
      <p class="found" role="status">
        {statusText()}
      </p>
      {failure.value && (
        <p class="wrong" role="alert">
          {failure.value}
        </p>
      )}
      {offers.value.length > 0 && <Table />}
    </section>
  );
}
