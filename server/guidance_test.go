package server_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// guidance is the list of what stops people, each with the test that shows what the API says of it and the one that reads
// what the screen says, and does what comes next. No API says what happens without a network, cookies or JavaScript, or
// before a camera: there a test of what the way on rests on stands in its place.
var guidance = []struct {
	stops        string
	api, browser [2]string // file, and what the test is called in it
}{
	{"six digits that mean nothing", appWhy("wrong_code"), appCodes("wrong_code: the entry to look for")},
	{"right code, already used here", appWhy("already_used_here"), appCodes("already_used here: no alarm")},
	{"right code, used in another browser", appWhy("already_used_elsewhere"), appCodes("already_used elsewhere: when, in which browser")},
	{"older than one that was used", appWhy("older_than_last"), appCodes("older_than_last: wait for the next one")},
	{"the phone’s clock is behind or ahead", appWhy("clock_behind_and_ahead"), appCodes("by about 4 minutes, and how to switch automatic time on")},
	{"the same, on the reader’s own phone", appWhy("clock_behind_and_ahead"), appCodes("on a phone the steps for that phone are open already")},
	{"off by whole quarters of an hour", appWhy("quarter_hours"), appCodes("by whole quarter-hours")},
	{"phone and browser agree: our clock", appWhy("server_clock_suspect"), appCodes("phone and browser agree on a time")},
	{"our clock, as administrators are told", inFile("server/clock/watch_test.go", "func TestAClockThatRefusesEverybody("), inFile("frontend/src/screens/protection/protection.test.ts", "says by how much a server’s clock looks wrong")},
	{"an earlier setup, replaced", appWhy("previous_setup_replaced"), appCodes("previous_setup: when it was replaced")},
	{"an earlier setup, of an app that was removed", appWhy("previous_setup_removed"), appCodes("previous_setup: of an app that was removed")},
	{"an earlier setup, abandoned", appWhy("previous_setup_abandoned"), whileEnrolling("previous_setup: a code of the entry in use, and of one that was given up")},
	{"a setup begun and not finished", appWhy("setup_not_finished"), appCodes("setup_not_finished: which one, and a way to finish it")},
	{"five or seven digits, letters", appWhy("malformed"), appCodes("malformed: what a code looks like, at no cost")},
	{"a backup code in the code field", backupWhy("backup_code_in_the_field_of_the_app"), inFile("frontend/tests/sign-in.spec.ts", "a backup code in the field for the app is used, and the person is told")},
	{"enrolment expired", appWhy("enrolment_expired"), whileEnrolling("enrolment_expired: it ran out; one press starts again")},
	{"enrolment taken over by a newer tab", appWhy("enrolment_expired"), whileEnrolling("enrolment_expired: a newer start elsewhere took its place")},
	{"too many tries", appWhy("too_many_attempts"), appCodes("too_many_attempts: when it works again")},
	{"too many tries, at an enrolment", inFile("server/mfa/budgets_test.go", "func TestRows45And47Budgets("), whileEnrolling("too_many_attempts: the account is safe")},
	{"the sign-in took too long", appWhy("sign_in_expired"), appCodes("sign_in_expired: start again, nothing is lost")},

	{"a backup code used before", backupWhy("backup_code_used"), backupCodes("backup_code_used: when and where, the next unused number")},
	{"one of a replaced set", backupWhy("backup_code_replaced"), backupCodes("backup_code_replaced: the date of the newer set")},
	{"a typo in one", backupWhy("typo"), inFile("frontend/tests/sign-in.spec.ts", "with a backup code full of slips: it simply works")},
	{"no backup code of theirs", backupWhy("wrong_code"), backupCodes("wrong_code: what they look like, and the tries that are left")},
	{"six digits in its field", backupWhy("six_digits_in_its_field"), backupCodes("six digits there are tried as a code of the app")},
	{"none left", backupWhy("no_backup_codes_left"), backupCodes("no_backup_codes_left: the app still works")},
	{"what the diagnosis may tell", inFile("server/factor/authenticator/safe_test.go", "func TestTheDiagnosisIsSafe("), appCodes("wrong_code: the entry to look for")},

	{"a dim screen, a camera not allowed or broken, an app that will not scan", inFile("server/factor/authenticator/secret_test.go", "func TestRow17TheSeedIsSeenOnce("), alsoStuck("a dim screen, a camera that is not allowed or broken, another app")},
	{"the key by hand", inFile("server/factor/authenticator/secret_test.go", "func TestRow17TheSeedIsSeenOnce("), inFile("frontend/tests/wizard.spec.ts", "the key by hand: in groups of four, with Copy")},
	{"the phone is the device being enrolled", inFile("server/factor/authenticator/secret_test.go", "func TestRow17TheSeedIsSeenOnce("), alsoStuck("with the app there is nothing to scan, and a way all the same")},
	{"password forgotten", inFile("server/forgotten/forgotten_test.go", "func TestAForgottenPassword("), inFile("frontend/tests/forgotten.spec.ts", "a forgotten password: a link by mail")},
	{"password forgotten, and no mail leaves", inFile("server/forgotten/forgotten_test.go", "func TestWithoutMailServer("), inFile("frontend/tests/forgotten.spec.ts", "without a mail server the page says how one gets a new password here")},
	{"an e-mail does not arrive", inFile("server/mail/deliver_test.go", "func TestGivenUpAfterThreeDays("), alsoStuck("a mail that does not come: where to look, and to ask again")},
	{"account disabled", inFile("server/signin/password_test.go", "func TestRow6KnownAndUnknownNamesLookAlike("), alsoStuck("an account that is disabled: said after the right password alone")},
	{"account disabled while signed in", inFile("server/people/change_test.go", "func TestRow56TheNextRequestIsRefused("), inFile("frontend/tests/people.spec.ts", "require, then disable: the next request is refused")},
	{"the deadline has passed", inFile("server/mfa/policy_test.go", "when the deadline passes"), alsoStuck("a deadline that has passed: since when")},
	{"no JavaScript", inFile("server/help/help_test.go", "func TestPages("), inFile("frontend/tests/first-load.spec.ts", "without JavaScript the page says what to do")},
	{"no JavaScript, in the help", inFile("server/help/help_test.go", "func TestPages("), inFile("frontend/tests/help.spec.ts", "without JavaScript one finds an article")},
	{"no cookies, without a second step", inFile("server/session/session_test.go", "func TestRow35Cookies("), inFile("frontend/tests/first-load.spec.ts", "without cookies the sign-in says so")},
	{"no cookies, at the second step", inFile("server/web/access_test.go", "func TestTheCredentialIsOneCookie("), alsoStuck("no cookies, at the second step: not called late")},
	{"a browser that keeps nothing", inFile("server/web/access_test.go", "func TestTheCredentialIsOneCookie("), alsoStuck("a browser that lets the site keep nothing")},
	{"offline", inFile("server/web/answer_test.go", "func TestHealthTimeAndDocument("), inFile("frontend/tests/connection.spec.ts", "offline: said at once, over by itself")},
	{"offline, on a screen not loaded yet", inFile("server/web/answer_test.go", "func TestHealthTimeAndDocument("), inFile("frontend/tests/connection.spec.ts", "offline on a screen not loaded yet")},
	{"server restarting", inFile("server/signin/code_limits_test.go", "func TestRow44LimitsOutliveRestartsAndFailClosed("), inFile("frontend/tests/connection.spec.ts", "the server restarts: the page says so and goes on by itself")},
	{"server restarting, at a code", inFile("server/signin/code_limits_test.go", "func TestRow44LimitsOutliveRestartsAndFailClosed("), inFile("frontend/tests/connection.spec.ts", "the server is away while a code is sent")},
	{"page open since yesterday, after an update", inFile("server/web/files_test.go", "func TestFiles("), inFile("frontend/tests/connection.spec.ts", "a screen whose file is gone after an update asks for a reload")},
	{"the same, signing in", inFile("server/web/files_test.go", "func TestFiles("), alsoStuck("a page open since yesterday, after an update: the second step’s file is gone")},
	{"page open since yesterday, session over", inFile("server/session/session_test.go", "func TestRow32IdleAndAbsoluteLives("), inFile("frontend/tests/connection.spec.ts", "a session that ended: sign in again, and one is back where one was")},
}

func inFile(file, name string) [2]string { return [2]string{file, name} }

func appWhy(row string) [2]string {
	return inFile("server/factor/authenticator/why_test.go", `{"`+row+`", `)
}

func backupWhy(row string) [2]string {
	return inFile("server/factor/backupcode/why_test.go", `{"`+row+`", `)
}

func appCodes(test string) [2]string { return inFile("frontend/tests/refused-app-codes.spec.ts", test) }
func backupCodes(test string) [2]string {
	return inFile("frontend/tests/refused-backup-codes.spec.ts", test)
}
func whileEnrolling(test string) [2]string {
	return inFile("frontend/tests/refused-while-enrolling.spec.ts", test)
}
func alsoStuck(test string) [2]string { return inFile("frontend/tests/stuck.spec.ts", test) }

// TestWhatStopsPeopleIsTested holds the list to the tests that there are.
func TestWhatStopsPeopleIsTested(t *testing.T) {
	read := map[string]string{}
	for _, row := range guidance {
		for _, test := range [][2]string{row.api, row.browser} {
			file, name := test[0], test[1]
			if read[file] == "" {
				text, err := os.ReadFile(filepath.Join("..", file))
				if err != nil {
					t.Fatal(err)
				}
				read[file] = string(text)
			}
			if !strings.Contains(read[file], name) {
				t.Errorf("%s: no test %q in %s", row.stops, name, file)
			}
		}
	}
}
