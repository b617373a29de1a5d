/* SPDX-License-Identifier: MIT */
// Bar charts below one another as one SVG, by ECharts.
import * as echarts from 'echarts';
import { figure } from './table.js';

const WIDTH = 1000, LEFT = 430, RIGHT = 90, TOP = 70, ROW = 46, GAP = 66;

function seriesOf(chart, index, who) {
  return Object.entries(who).filter(([key]) => chart.rows.some((row) => row.values[key] != null))
    .map(([key, [name, color]]) => ({
      name, type: 'bar', xAxisIndex: index, yAxisIndex: index, itemStyle: { color },
      barCategoryGap: '25%',
      label: { show: true, position: 'right',
        formatter: ({ value }) => (value ? figure(value) : '') },
      data: chart.rows.map((row) => row.values[key] ?? null),
    }));
}

// charts: {title, rows: [{title, values: {key: number}}]}; who: {key: [name, color]}.
export function bars(charts, who) {
  const all = charts.flatMap((chart, i) => seriesOf(chart, i, who));
  let top = TOP;
  const places = charts.map((chart) => {
    const place = { top, height: chart.rows.length * ROW };
    top += place.height + GAP;
    return place;
  });
  const view = echarts.init(null, null,
    { renderer: 'svg', ssr: true, width: WIDTH, height: Math.max(top, 2 * TOP) });
  view.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'sans-serif' },
    legend: { top: 8, itemGap: 40, data: [...new Set(all.map((bar) => bar.name))] },
    title: charts.map((chart, i) => ({
      text: chart.title, left: 16, top: places[i].top - 28, textStyle: { fontSize: 14 } })),
    grid: places.map((place) => ({ ...place, left: LEFT, right: RIGHT })),
    xAxis: charts.map((chart, i) => ({
      type: 'value', gridIndex: i, min: 0, axisLabel: { show: false },
      splitLine: { show: false } })),
    yAxis: charts.map((chart, i) => ({
      type: 'category', gridIndex: i, inverse: true, data: chart.rows.map((row) => row.title),
      axisTick: { show: false } })),
    series: all,
  });
  const svg = view.renderToSVGString();
  view.dispose();
  return svg;
}
