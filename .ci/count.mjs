// node .ci/count.mjs FOLDER STATUS: adds up the reports that the test runners left
// in FOLDER (go.json, vitest.json, playwright.json), prints a line for each runner,
// what failed and why in short, and, last, `N passed, N failed`. Exits 1 when something failed, when STATUS, the
// exit status of the whole run, is not 0, or when a runner ran no test at all.
import { existsSync, readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'

const [folder, status] = process.argv.slice(2)

/** `why`: the failures in a few lines each, for who has nothing but the end of the log.
 * @typedef {{passed: number, failed: number, skipped: number, broken: string[], why: string[]}} Count */

/** The name of a failure and the first lines of what it printed, without colours. */
function inShort(name, text) {
  const lines = stripVTControlCharacters(text).split('\n').filter((line) => line.trim() && !line.startsWith('==='))
  return [name, ...lines.slice(0, 12).map((line) => `  ${line.slice(0, 200)}`)].join('\n')
}

/** `go test -json`: one event a line. A test with sub-tests is not counted beside them.
 * A package that fails without a failing test (it does not compile, it panics) counts as one. */
function goTests(text) {
  const results = new Map()
  const packages = []
  const printed = new Map()
  for (const line of text.split('\n')) {
    if (!line.startsWith('{')) continue
    const event = JSON.parse(line)
    if (event.Action === 'output' && event.Test) {
      const key = `${event.Package} ${event.Test}`
      printed.set(key, (printed.get(key) ?? '') + event.Output)
    }
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
  const count = { passed: 0, failed: 0, skipped: 0, broken: [], why: [] }
  const failing = new Set()
  for (const [name, action] of results) {
    if (action === 'fail') failing.add(name.split(' ')[0])
    if (parents.has(name)) continue
    count[{ pass: 'passed', fail: 'failed', skip: 'skipped' }[action]]++
    if (action === 'fail') count.why.push(inShort(name, printed.get(name) ?? ''))
  }
  // A parent can fail by itself, after its sub-tests passed.
  for (const name of parents) {
    const below = [...results].some(([other, action]) => other.startsWith(`${name}/`) && action === 'fail')
    if (results.get(name) !== 'fail' || below) continue
    count.failed++
    count.why.push(inShort(name, printed.get(name) ?? ''))
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
    why: report.testResults
      .flatMap((file) => file.assertionResults)
      .filter((test) => test.status === 'failed')
      .map((test) => inShort(test.fullName, test.failureMessages.join('\n'))),
  }
}

function playwright(text) {
  const { stats, errors, suites } = JSON.parse(text)
  const specs = (suite) => [...suite.specs, ...(suite.suites ?? []).flatMap(specs)]
  const failures = suites.flatMap(specs).filter((spec) => !spec.ok)
  return {
    passed: stats.expected + stats.flaky,
    failed: stats.unexpected,
    skipped: stats.skipped,
    broken: errors.map((error) => (error.message ?? String(error)).split('\n')[0]),
    why: failures.map((spec) => {
      const messages = spec.tests.flatMap((test) => test.results.flatMap((result) => result.errors))
      return inShort(`${spec.file}:${spec.line} ${spec.title}`, messages.map(({ message }) => message).join('\n'))
    }),
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
  for (const what of count.why) console.log(what.replaceAll(/^/gm, '  '))
  for (const what of count.broken) console.log(`  broken before or between its tests: ${what}`)
}
// A step without tests of its own (the checks, the build) that failed is one failure.
if (existsSync(`${folder}/failed`)) {
  for (const step of readFileSync(`${folder}/failed`, 'utf8').trim().split('\n')) {
    console.log(`step failed: ${step}`)
    if (step === 'build' || step.startsWith('check ')) failed++
  }
}
if (failed === 0 && (status !== '0' || short)) failed = 1
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
