/* SPDX-License-Identifier: MIT */
// Forty beginnings of texts: languages, scripts, code, special tokens, emoji, long ones.
const paragraph = 'The lighthouse keeper wrote down the weather every evening, the ships that ' +
  'passed, and what he had for supper. Nobody read it but the gulls. ';

export const prompts = [
  'The capital of France is', 'Once upon a time there was', 'Water boils at', '1, 2, 3, 4, 5,',
  'The three primary colors are', 'In 1969, the first man', 'Roses are red, violets are',
  'To make tea, you need', 'The opposite of hot is', 'My favourite animal is the',
  'La capitale de la France est', 'Die Hauptstadt von Deutschland ist', 'La capital de España es',
  'A capital de Portugal é', 'La capitale d’Italia è', 'Hoofdstad van Nederland is',
  'Столица России —', 'Η πρωτεύουσα της Ελλάδας είναι', '中国的首都是', '日本の首都は', '대한민국의 수도는',
  'عاصمة مصر هي', 'בירת ישראל היא', 'भारत की राजधानी', 'Thủ đô của Việt Nam là',
  'def fibonacci(n):\n    if n < 2:\n        return n\n', 'SELECT name FROM users WHERE',
  '#include <stdio.h>\n\nint main(void) {\n', '{"name": "Ada", "age":', '<html><body><h1>',
  '# Notes\n\n- one\n- two\n-', 'x = 3 * (4 + 5) =', 'I am so happy 😀 because',
  '🐶 says woof, 🐱 says',
  'family: 👨‍👩‍👧‍👦, flag: 🇫🇷, and', 'naïve café — “quoted” … ½ €5',
  '<|im_start|>user\nName a fruit.<|im_end|>\n<|im_start|>assistant\n', '\t\ttabs and   spaces\n\n',
  paragraph.repeat(12), `${paragraph.repeat(30)}In short,`,
];
