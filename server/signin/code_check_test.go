package signin_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

const (
	pendingCheck = "/api/v1/sign-in/code-check"
	sessionCheck = "/api/v1/session/code-check"
)

func check(c *servertest.Client, path, code string) *servertest.Answer {
	return c.Do("POST", path, map[string]string{"code": code})
}

// opensNothing fails the test when an answer gave the browser a cookie.
func opensNothing(t *testing.T, answer *servertest.Answer) *servertest.Answer {
	t.Helper()
	if set := answer.Header.Values("Set-Cookie"); len(set) > 0 {
		t.Errorf("cookies: %v", set)
	}
	return answer
}

func TestACodeIsToldWhatItIs(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		const email = "ada@example.test"
		ada := in.Protected(email, "member")
		session := in.SignedIn(email, ada, servertest.Safari)

		for _, path := range []string{pendingCheck, sessionCheck} {
			t.Run(path, func(t *testing.T) {
				in.Clock.Advance(10 * time.Minute)
				in.Clock.NextStep() // 15 s into a period
				browser := session
				if path == pendingCheck {
					browser = pendingAt(in, email)
				}
				said := opensNothing(t, check(browser, path, ada.Code()).Want(http.StatusOK)).Body
				if said["accepted"] != true || said["factor"] != "totp" || said["name"] != "iPhone" || said["offset_seconds"] != 0.0 ||
					said["next_code_in_seconds"] != 15.0 || !strings.Contains(fmt.Sprint(said["label"]), email) {
					t.Errorf("%v", said)
				}
				in.Clock.Advance(2 * time.Minute)
				ada.Behind = 30 * time.Second
				if said := check(browser, path, ada.Code()).Want(http.StatusOK).Body; said["offset_seconds"] != -30.0 {
					t.Errorf("%v", said)
				}
				ada.Behind = 6 * time.Minute
				if why := check(browser, path, ada.Code()).Diagnosed("clock_behind"); why["offset_seconds"] != -360.0 {
					t.Errorf("%v", why)
				}
				ada.Behind = 0
				check(browser, path, "12345").Diagnosed("malformed")
			})
		}
		t.Run("a backup code has a number, and stays good", func(t *testing.T) {
			in.Change("DELETE FROM second_step_tries")
			for range 2 {
				said := opensNothing(t, check(session, sessionCheck, strings.ToLower(ada.Codes[2])).Want(http.StatusOK)).Body
				if said["factor"] != "backup_code" || said["number"] != 3.0 || said["backup_codes_remaining"] != 10.0 || said["next_code_in_seconds"] != nil {
					t.Errorf("%v", said)
				}
			}
			backup(pendingAt(in, email), ada.Codes[2]).Want(http.StatusOK)
			if why := check(session, sessionCheck, ada.Codes[2]).Diagnosed("backup_code_used"); why["next_number"] != 1.0 {
				t.Errorf("%v", why)
			}
		})
		t.Run("only with the right password, or a session", func(t *testing.T) {
			stranger, pending := in.Browser(servertest.Firefox), pendingAt(in, email)
			check(stranger, pendingCheck, ada.Code()).Refused(http.StatusUnauthorized, "not_signed_in")
			check(stranger, sessionCheck, ada.Code()).Refused(http.StatusUnauthorized, "not_signed_in")
			check(pending, sessionCheck, ada.Code()).Refused(http.StatusUnauthorized, "not_signed_in")
			check(session, pendingCheck, ada.Code()).Refused(http.StatusUnauthorized, "not_signed_in")
		})
		t.Run("it is on record, and what was typed is not", func(t *testing.T) {
			for _, kind := range []string{"sign_in.code_tested", "session.code_tested"} {
				ok := in.Column("SELECT id FROM events WHERE kind = ? AND result = 'ok'", kind)
				refused := in.Column("SELECT reason FROM events WHERE kind = ? AND result = 'refused' AND reason = 'clock_behind'", kind)
				if len(ok) < 2 || len(refused) != 1 {
					t.Errorf("%s: %d right, %d refused", kind, len(ok), len(refused))
				}
			}
		})
	})
}

func TestRow11ATestedStepIsSpentOnceAmongMany(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		const email = "ada@example.test"
		ada := in.Protected(email, "member")
		session := in.SignedIn(email, ada, servertest.Safari)
		in.Beside()
		browsers := make([]*servertest.Client, 4)
		for n := range browsers {
			browsers[n] = pendingAt(in, email)
		}
		code := ada.Code()
		// Some sign in with it, some test it: one of all has it.
		answers := in.Race(12, session, func(n int, session *servertest.Client) (*servertest.Answer, error) {
			body := map[string]string{"code": code}
			switch browser := browsers[n%len(browsers)].On(in.On(n)); n % 3 {
			case 0:
				return browser.Try("POST", "/api/v1/sign-in/totp", body)
			case 1:
				return browser.Try("POST", pendingCheck, body)
			}
			return session.Try("POST", sessionCheck, body)
		})
		in.Only(http.StatusOK, answers)
	})
}

func TestRow12ATestSharesTheReplayMark(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		const email = "ada@example.test"
		ada := in.Protected(email, "member")
		session := in.SignedIn(email, ada, servertest.Safari)
		pending := pendingAt(in, email)
		refuse := func(t *testing.T, code string) {
			t.Helper()
			for name, answer := range map[string]*servertest.Answer{
				"signing in": pending.Code(code), "a proof": session.Prove(code),
				"a test of the sign-in": check(pending, pendingCheck, code), "a test of the session": check(session, sessionCheck, code),
			} {
				if why := answer.Diagnosed("already_used"); why["next_code_in_seconds"] == nil {
					t.Errorf("%s: %v", name, why)
				}
			}
			in.Change("DELETE FROM second_step_tries")
			in.Change("UPDATE pending_sign_ins SET attempts = 0")
		}
		t.Run("tested in a pending sign-in", func(t *testing.T) {
			code := ada.Code()
			check(pending, pendingCheck, code).Want(http.StatusOK)
			refuse(t, code)
			noSession(t, pending)
		})
		in.Clock.NextStep()
		t.Run("tested in a session", func(t *testing.T) {
			code := ada.Code()
			check(session, sessionCheck, code).Want(http.StatusOK)
			refuse(t, code)
		})
		in.Clock.NextStep()
		t.Run("and a restart changes nothing", func(t *testing.T) {
			code := ada.Code()
			check(pending, pendingCheck, code).Want(http.StatusOK)
			in.First().Stop()
			in.Instances = nil
			in.Another()
			pending, session = pending.On(in.First()), session.On(in.First())
			refuse(t, code)
		})
		t.Run("an earlier step is not good again", func(t *testing.T) {
			in.Clock.NextStep()
			earlier := ada.CodeIn(-30 * time.Second)
			check(session, sessionCheck, ada.Code()).Want(http.StatusOK)
			check(session, sessionCheck, earlier).Want(http.StatusUnprocessableEntity)
			pending.Code(earlier).Want(http.StatusUnprocessableEntity)
		})
		t.Run("a step shown before its time is burned by a test too", func(t *testing.T) {
			in.Clock.NextStep()
			coming := ada.CodeIn(2 * time.Minute)
			check(session, sessionCheck, coming).Diagnosed("clock_ahead")
			in.Clock.Advance(2 * time.Minute)
			pendingAt(in, email).Code(coming).Diagnosed("already_used")
		})
		t.Run("a proof is still owed", func(t *testing.T) {
			in.Clock.Advance(11 * time.Minute)
			check(session, sessionCheck, ada.Code()).Want(http.StatusOK)
			session.Do("POST", servertest.Enrolments, map[string]string{"name": "mine"}).Refused(http.StatusForbidden, "fresh_proof_required")
		})
	})
}

func TestRow13ATestTakesTheSameShapes(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		const email = "ada@example.test"
		ada := in.Protected(email, "member")
		session := in.SignedIn(email, ada, servertest.Safari)
		pending := pendingAt(in, email)
		for path, browser := range map[string]*servertest.Client{pendingCheck: pending, sessionCheck: session} {
			for _, code := range []string{"", "12345", "1234567", "12345x", "\u0661\u0662\u0663\u0664\u0665\u0666", "abc"} {
				check(browser, path, code).Diagnosed("malformed")
			}
			for _, body := range []string{
				`{"code":123456}`, `{"code":["123456"]}`, `{"code":"123456","code":"123457"}`, `{"code":"123456","admin":true}`, `{"code":"123456\u0000"}`,
			} {
				if answer := browser.Do("POST", path, body); answer.Status != http.StatusBadRequest && answer.Status != http.StatusUnprocessableEntity || answer.Body["diagnosis"] != nil {
					t.Errorf("%s: %d %s", body, answer.Status, answer.Raw)
				}
			}
		}
		if counted := tries(in, "failures"); counted != "no row" && counted != "0" {
			t.Errorf("%s were counted that nothing was compared with", counted)
		}
		// With spaces it is the same code: the same step is spent.
		code := ada.Code()
		check(session, sessionCheck, code[:3]+" "+code[3:]+" ").Want(http.StatusOK)
		check(session, sessionCheck, code).Diagnosed("already_used")
	})
}

func TestRow41ParallelTestsStayInBudget(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		const email = "ada@example.test"
		ada := in.Protected(email, "member")
		session := in.SignedIn(email, ada, servertest.Safari)
		in.Beside()
		tally := func(path string, browser *servertest.Client, many int) (looked, refused int32) {
			var lookedAt, tooMany atomic.Int32
			codes := make([]string, many)
			for n := range codes {
				if codes[n] = ada.Wrong(n); n%3 == 2 {
					codes[n] = servertest.WrongBackupCode
				}
			}
			before := in.Runs()
			servertest.Together(many, func(n int) {
				answer, err := browser.On(in.On(n)).Try("POST", path, map[string]string{"code": codes[n]})
				if err != nil {
					t.Error(err)
					return
				}
				why, _ := answer.Body["diagnosis"].(map[string]any)
				switch why["reason"] {
				case "wrong_code":
					lookedAt.Add(1)
				case "too_many_attempts":
					tooMany.Add(1)
				default:
					t.Errorf("%d: %s", answer.Status, answer.Raw)
				}
			})
			if hashed := in.Runs() - before; int32(hashed) > lookedAt.Load() {
				t.Errorf("%d backup codes were hashed, and only %d codes counted", hashed, lookedAt.Load())
			}
			return lookedAt.Load(), tooMany.Load()
		}
		t.Run("five of one pending sign-in", func(t *testing.T) {
			if looked, refused := tally(pendingCheck, pendingAt(in, email), 18); looked != 5 || refused != 13 {
				t.Errorf("%d were looked at and %d refused, want 5 and 13", looked, refused)
			}
		})
		t.Run("and eight of the account, the other two are kept for signing in", func(t *testing.T) {
			if looked, refused := tally(sessionCheck, session, 18); looked != 3 || refused != 15 {
				t.Errorf("%d were looked at and %d refused, want 3 and 15", looked, refused)
			}
			if counted := tries(in, "failures"); counted != "8" {
				t.Errorf("%s are counted", counted)
			}
		})
	})
}

func TestRow42TestsShareTheBudgetAndKeepNobodyOut(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		const email = "ada@example.test"
		ada := in.Protected(email, "member")
		session := in.SignedIn(email, ada, servertest.Safari)
		left := func(t *testing.T, answer *servertest.Answer, want int) {
			t.Helper()
			if why := answer.Diagnosed("wrong_code"); why["attempts_left"] != float64(want) {
				t.Fatalf("%v attempts left, want %d", why["attempts_left"], want)
			}
		}
		one := pendingAt(in, email)
		left(t, one.Code(ada.Wrong(0)), 4)
		left(t, check(one, pendingCheck, ada.Wrong(1)), 3)
		left(t, check(session, sessionCheck, ada.Wrong(2)), 5) // two are kept from tests
		left(t, check(session, sessionCheck, servertest.WrongBackupCode), 4)
		left(t, session.Prove(ada.Wrong(3)), 5)

		t.Run("a right test forgets nothing, and a right backup code costs a try", func(t *testing.T) {
			check(session, sessionCheck, ada.Code()).Want(http.StatusOK)
			if tries(in, "in_a_row") != "5" || tries(in, "failures") != "5" {
				t.Errorf("%s in a row, %s failures", tries(in, "in_a_row"), tries(in, "failures"))
			}
			in.Clock.NextStep()
			check(session, sessionCheck, ada.Codes[0]).Want(http.StatusOK)
			if tries(in, "in_a_row") != "6" || tries(in, "failures") != "6" {
				t.Errorf("%s in a row, %s failures", tries(in, "in_a_row"), tries(in, "failures"))
			}
		})
		left(t, check(session, sessionCheck, ada.Wrong(4)), 1)
		left(t, check(session, sessionCheck, ada.Wrong(5)), 0)

		t.Run("the last tries are kept for signing in, whatever the code is", func(t *testing.T) {
			fresh := pendingAt(in, email)
			first := check(session, sessionCheck, ada.Wrong(6)).Diagnosed("too_many_attempts")
			if first["kept_for_sign_in"] != true || first["retry_after_seconds"] == nil {
				t.Errorf("%v", first)
			}
			for path, browser := range map[string]*servertest.Client{pendingCheck: fresh, sessionCheck: session} {
				for _, code := range []string{ada.Code(), ada.Codes[0], ada.Wrong(7)} {
					if why := check(browser, path, code).Diagnosed("too_many_attempts"); fmt.Sprint(why) != fmt.Sprint(first) {
						t.Errorf("%v, want %v", why, first)
					}
				}
			}
			if attempts := in.Column("SELECT CAST(attempts AS TEXT) FROM pending_sign_ins ORDER BY id DESC LIMIT 1"); attempts[0] != "0" {
				t.Errorf("%s attempts of the sign-in", attempts[0])
			}
			fresh.Code(ada.Code()).Want(http.StatusOK)
			in.Clock.NextStep()
		})
		t.Run("tests alone never lock", func(t *testing.T) {
			in.Change("UPDATE second_step_tries SET failures = 0, in_a_row = 39")
			session := in.SignedIn(email, ada, servertest.Safari)
			in.Change("UPDATE second_step_tries SET failures = 0, in_a_row = 39")
			check(session, sessionCheck, ada.Wrong(0)).Diagnosed("wrong_code")
			for _, code := range []string{ada.Wrong(1), ada.Code(), ada.Codes[1]} {
				why := check(session, sessionCheck, code).Diagnosed("too_many_attempts")
				if _, told := why["retry_after_seconds"]; told || why["kept_for_sign_in"] != true || why["locked"] != nil {
					t.Errorf("%v", why)
				}
			}
			if tries(in, "in_a_row") != "40" {
				t.Errorf("%s in a row", tries(in, "in_a_row"))
			}
			pendingAt(in, email).Code(ada.Code()).Want(http.StatusOK)
		})
		in.Clock.NextStep()
		t.Run("while codes are delayed or locked a test tells nothing", func(t *testing.T) {
			session := in.SignedIn(email, ada, servertest.Safari)
			for _, state := range []string{
				fmt.Sprintf("UPDATE second_step_tries SET in_a_row = 10, failures = 10, blocked_until = %d", in.Clock.Now().Add(time.Minute).UnixMilli()),
				"UPDATE second_step_tries SET blocked_until = 0, locked_at = 1",
			} {
				in.Change(state)
				pending := pendingAt(in, email)
				wrong := fmt.Sprint(check(session, sessionCheck, ada.Wrong(0)).Diagnosed("too_many_attempts"))
				for _, answer := range []*servertest.Answer{
					check(session, sessionCheck, ada.Code()), check(pending, pendingCheck, ada.Code()), check(pending, pendingCheck, ada.Codes[1]),
				} {
					if right := fmt.Sprint(answer.Diagnosed("too_many_attempts")); right != wrong {
						t.Errorf("a right code: %s, a wrong one: %s", right, wrong)
					}
				}
			}
		})
	})
}

// Whoever has the password can't look for the code by tests instead, unseen by the one whose account it is.
func TestRow73TestsOfTheSecondStepAreToldLikeTries(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		const email = "ada@example.test"
		ada := in.Protected(email, "member")
		thief := pendingAt(in, email)
		thief.Code(ada.Wrong(0)).Diagnosed("wrong_code")
		for n := range 2 {
			check(thief, pendingCheck, ada.Wrong(n+1)).Diagnosed("wrong_code")
		}
		if queued := in.Column("SELECT id FROM outbox WHERE kind = 'second_step_refused'"); len(queued) != 1 {
			t.Errorf("%d mails", len(queued))
		}
	}, servertest.Options{Mail: true})
}

func TestRow43TestsAreCountedWhateverComesOfThem(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		const email = "ada@example.test"
		ada := in.Protected(email, "member")
		session := in.SignedIn(email, ada, servertest.Safari)
		browser := pendingAt(in, email)
		for n := range 3 {
			check(browser, pendingCheck, ada.Wrong(n)).Diagnosed("wrong_code")
		}
		in.Change("ALTER TABLE backup_code_sets RENAME TO away")
		check(session, sessionCheck, ada.Codes[0]).Refused(http.StatusInternalServerError, "internal_fault")
		in.Change("ALTER TABLE away RENAME TO backup_code_sets")
		if tries(in, "failures") != "4" || tries(in, "in_a_row") != "4" {
			t.Errorf("%s failures, %s in a row, want 4", tries(in, "failures"), tries(in, "in_a_row"))
		}
		if refused := in.Column("SELECT id FROM events WHERE kind = 'sign_in.code_tested' AND result = 'refused'"); len(refused) != 3 {
			t.Errorf("%d events of 3 refusals", len(refused))
		}
	})
}

func TestRow44TestsOutliveRestartsAndFailClosed(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		const email = "ada@example.test"
		ada := in.Protected(email, "member")
		session := in.SignedIn(email, ada, servertest.Safari)
		for n := range 4 {
			check(session, sessionCheck, ada.Wrong(n)).Diagnosed("wrong_code")
		}
		in.First().Stop()
		in.Instances = nil
		in.Another()
		session = session.On(in.First())
		for n := range 4 {
			check(session, sessionCheck, ada.Wrong(n+4)).Diagnosed("wrong_code")
		}
		check(session, sessionCheck, ada.Code()).Diagnosed("too_many_attempts")
		in.Clock.Advance(time.Hour)
		session = in.SignedIn(email, ada, servertest.Safari)
		before := in.Runs()
		in.Change("ALTER TABLE second_step_tries RENAME TO away")
		for _, code := range []string{ada.Code(), ada.Codes[0], ada.Wrong(0)} {
			check(session, sessionCheck, code).Refused(http.StatusInternalServerError, "internal_fault")
		}
		in.Change("ALTER TABLE away RENAME TO second_step_tries")
		if in.Runs() != before {
			t.Error("a backup code was checked all the same")
		}
		check(session, sessionCheck, ada.Code()).Want(http.StatusOK)
	})
}
