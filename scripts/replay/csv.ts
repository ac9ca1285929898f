/** Reading the recorded CSV files: plain or gzipped, with a header, RFC 4180 quoting. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** Far above the recorded chains (about 2,000 rows): a larger file is a wrong file. */
const ROWS_MAX = 200_000;

/** Rows as objects by column name. Throws naming the file where it or a column is missing. */
export function readCsv<Column extends string>(
  file: string,
  columns: readonly Column[],
): Record<Column, string>[] {
  const bytes = readFileSync(file);
  const text = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  const [header = [], ...rows] = parseCsv(text);
  if (rows.length > ROWS_MAX) throw new Error(`\`${file}\` has more than ${ROWS_MAX} rows.`);
  const places = columns.map((column) => {
    const place = header.indexOf(column);
    if (place < 0) throw new Error(`\`${file}\` has no column \`${column}\`.`);
    return [column, place] as const;
  });
  return rows.map((row, index) => {
    if (row.length !== header.length) {
      throw new Error(
        `\`${file}\`, row ${index + 2}: \`${row.length}\` of ${header.length} fields.`,
      );
    }
    const fields = places.map(([column, place]) => [column, row[place]]);
    return Object.fromEntries(fields) as Record<Column, string>;
  });
}

/** Fields of each line; `""` inside quotes is a quote. Empty lines are skipped. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy;
  while (field.lastIndex < text.length) {
    const match = field.exec(text);
    if (match === null) throw new Error(`Malformed CSV in line ${rows.length + 1}.`);
    const [, quoted, plain = "", end] = match;
    row.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === ",") {
      if (field.lastIndex === text.length) row.push("");
      else continue;
    }
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  }
  return rows;
}
