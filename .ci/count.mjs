// node .ci/count.mjs FOLDER STATUS: adds up the reports that the test runners left
// in FOLDER (go.json, vitest.json, playwright.json), prints a line for each runner
// and, last, `N passed, N failed`. Exits 1 when something failed, when STATUS, the
// exit status of the whole run, is not 0, or when a runner ran no test at all.
import { existsSync, readFileSync } from 'node:fs'

const [folder, status] = process.argv.slice(2)

/** @typedef {{passed: number, failed: number, skipped: number, broken: string[]}} Count */

/** `go test -json`: one event a line. A test with sub-tests is not counted beside them.
 * A package that fails without a failing test (it does not compile, it panics) counts as one. */
function goTests(text) {
  const results = new Map()
  const packages = []
  for (const line of text.split('\n')) {
    if (!line.startsWith('{')) continue
    const event = JSON.parse(line)
    if (!['pass', 'fail', 'skip'].includes(event.Action)) continue
    if (event.Test) results.set(`${event.Package} ${event.Test}`, event.Action)
    else if (event.Action === 'fail') packages.push(event.Package)
  }
  const parents = new Set()
  for (const name of results.keys()) {
    for (let cut = name.lastIndexOf('/'); cut > name.indexOf(' '); cut = name.lastIndexOf('/', cut - 1)) {
      parents.add(name.slice(0, cut))
    }
  }
  const count = { passed: 0, failed: 0, skipped: 0, broken: [] }
  const failing = new Set()
  for (const [name, action] of results) {
    if (action === 'fail') failing.add(name.split(' ')[0])
    if (parents.has(name)) continue
    count[{ pass: 'passed', fail: 'failed', skip: 'skipped' }[action]]++
  }
  // A parent can fail by itself, after its sub-tests passed.
  for (const name of parents) {
    const below = [...results].some(([other, action]) => other.startsWith(`${name}/`) && action === 'fail')
    if (results.get(name) === 'fail' && !below) count.failed++
  }
  count.broken = packages.filter((name) => !failing.has(name))
  return count
}

function vitest(text) {
  const report = JSON.parse(text)
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + (report.numTodoTests ?? 0),
    broken: report.testResults
      .filter((file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'))
      .map((file) => file.name),
  }
}

function playwright(text) {
  const { stats, errors } = JSON.parse(text)
  return {
    passed: stats.expected + stats.flaky,
    failed: stats.unexpected,
    skipped: stats.skipped,
    broken: errors.map((error) => (error.message ?? String(error)).split('\n')[0]),
  }
}

let passed = 0
let failed = 0
let short = false
console.log()
for (const [name, file, read] of [
  ['go test', 'go.json', goTests],
  ['vitest', 'vitest.json', vitest],
  ['playwright', 'playwright.json', playwright],
]) {
  const path = `${folder}/${file}`
  if (!existsSync(path)) {
    console.log(`${name}: did not run`)
    short = true
    continue
  }
  const count = read(readFileSync(path, 'utf8'))
  const failures = count.failed + count.broken.length
  passed += count.passed
  failed += failures
  short ||= count.passed + failures === 0
  console.log(`${name}: ${count.passed} passed, ${failures} failed, ${count.skipped} skipped`)
  for (const what of count.broken) console.log(`  broken before or between its tests: ${what}`)
}
// A step without tests of its own (check, build) that failed is one failure.
if (existsSync(`${folder}/failed`)) {
  for (const step of readFileSync(`${folder}/failed`, 'utf8').trim().split('\n')) {
    console.log(`step failed: ${step}`)
    if (step === 'check' || step === 'build') failed++
  }
}
if (failed === 0 && (status !== '0' || short)) failed = 1
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
