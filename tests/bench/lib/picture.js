/* SPDX-License-Identifier: MIT */
// The results as a picture: one chart for each unit, by ECharts.
import * as echarts from 'echarts';
import { figure } from './table.js';
import { rows } from './rows.js';

const SERIES = {
  doze: ['doze', '#2563eb'],
  peer: ['stock llama.cpp server', '#9ca3af'],
  floor: ['bare program', '#f59e0b'],
};
const WIDTH = 1000, LEFT = 430, RIGHT = 90, TOP = 70, ROW = 46, GAP = 66;

const chartOf = (group, unit, specs) => ({
  title: `${group} (${unit}, ${specs[0].better === 'low' ? 'less' : 'more'} is better)`, specs,
});

function chartsOf(results) {
  const measured = rows.filter((row) => results[row.id]);
  return [...new Set(measured.map((row) => row.group))].map((group) => {
    const specs = measured.filter((row) => row.group === group);
    return [...new Set(specs.map((row) => row.unit))].map((unit) =>
      chartOf(group, unit, specs.filter((row) => row.unit === unit)));
  }).flat();
}

function series(chart, index, results) {
  return Object.entries(SERIES).filter(([who]) => chart.specs.some((row) => results[row.id][who]))
    .map(([who, [name, color]]) => ({
      name, type: 'bar', xAxisIndex: index, yAxisIndex: index, itemStyle: { color },
      barCategoryGap: '25%',
      label: { show: true, position: 'right',
        formatter: ({ value }) => (value ? figure(value) : '') },
      data: chart.specs.map((row) => results[row.id][who]?.median ?? null),
    }));
}

export function picture(results) {
  const charts = chartsOf(results);
  const bars = charts.flatMap((chart, i) => series(chart, i, results));
  let top = TOP;
  const places = charts.map((chart) => {
    const place = { top, height: chart.specs.length * ROW };
    top += place.height + GAP;
    return place;
  });
  const view = echarts.init(null, null,
    { renderer: 'svg', ssr: true, width: WIDTH, height: Math.max(top, 2 * TOP) });
  view.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'sans-serif' },
    legend: { top: 8, itemGap: 40, data: [...new Set(bars.map((bar) => bar.name))] },
    title: charts.map((chart, i) => ({
      text: chart.title, left: 16, top: places[i].top - 28, textStyle: { fontSize: 14 } })),
    grid: places.map((place) => ({ ...place, left: LEFT, right: RIGHT })),
    xAxis: charts.map((chart, i) => ({
      type: 'value', gridIndex: i, min: 0, axisLabel: { show: false },
      splitLine: { show: false } })),
    yAxis: charts.map((chart, i) => ({
      type: 'category', gridIndex: i, inverse: true, data: chart.specs.map((row) => row.title),
      axisTick: { show: false } })),
    series: bars,
  });
  const svg = view.renderToSVGString();
  view.dispose();
  return svg;
}
