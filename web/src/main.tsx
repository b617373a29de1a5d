/* SPDX-License-Identifier: MIT */
import { render } from 'preact';

render(<h1>doze</h1>, document.getElementById('app')!);
