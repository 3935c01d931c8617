package signin_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

func backup(c *servertest.Client, code string) *servertest.Answer {
	return c.Do("POST", "/api/v1/sign-in/backup-code", map[string]string{"code": code})
}

// failOnce gives one wrong code in a sign-in of its own.
func failOnce(in *servertest.Installation, email string, who *servertest.Enrolled, n int) *servertest.Answer {
	return pendingAt(in, email).Code(who.Wrong(n))
}

// tries reads a counter of the person's from the database.
func tries(in *servertest.Installation, column string) string {
	if found := in.Column("SELECT CAST(" + column + " AS TEXT) FROM second_step_tries"); len(found) == 1 {
		return found[0]
	}
	return "no row"
}

// Of several right ones at once each takes back the try that it was counted as.
func TestRow41ParallelRightCodesCountAsNone(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "member")
		const count = 6
		browsers := make([]*servertest.Client, count)
		for n := range browsers {
			browsers[n] = pendingAt(in, "ada@example.test")
		}
		answers := make([]*servertest.Answer, count)
		servertest.Together(count, func(n int) {
			answers[n], _ = browsers[n].Try("POST", "/api/v1/sign-in/backup-code", map[string]string{"code": ada.Codes[n]})
		})
		for _, answer := range answers {
			answer.Want(http.StatusOK)
		}
		if counted := in.Column("SELECT user_id FROM second_step_tries WHERE failures <> 0 OR in_a_row <> 0"); len(counted) != 0 {
			t.Error("right codes are counted as wrong ones")
		}
	})
}

func TestRow41ParallelWrongCodesStayInBudget(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "member")
		in.Beside()
		tally := func(browsers []*servertest.Client, many int) (looked, refused int32) {
			var lookedAt, tooMany atomic.Int32
			codes := make([]string, many)
			for n := range codes {
				if codes[n] = ada.Wrong(n); n%3 == 2 {
					codes[n] = servertest.WrongBackupCode
				}
			}
			before := in.Runs()
			servertest.Together(many, func(n int) {
				answer, err := browsers[n%len(browsers)].On(in.On(n)).Try("POST", "/api/v1/sign-in/totp", map[string]string{"code": codes[n]})
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
			if looked, refused := tally([]*servertest.Client{pendingAt(in, "ada@example.test")}, 24); looked != 5 || refused != 19 {
				t.Errorf("%d were looked at and %d refused, want 5 and 19", looked, refused)
			}
		})
		t.Run("ten of one account, over eight pending sign-ins", func(t *testing.T) {
			in.Change("DELETE FROM second_step_tries")
			var browsers []*servertest.Client
			for range 8 {
				browsers = append(browsers, pendingAt(in, "ada@example.test"))
			}
			if looked, refused := tally(browsers, 48); looked != 10 || refused != 38 {
				t.Errorf("%d were looked at and %d refused, want 10 and 38", looked, refused)
			}
			if counted := tries(in, "failures"); counted != "10" {
				t.Errorf("%s are counted", counted)
			}
			pendingAt(in, "ada@example.test").Code(ada.Code()).Diagnosed("too_many_attempts")
		})
	})
}

// TestWhatComesBehindTheTries: a sign-in takes five codes and begins again; the tenth of the hour brings a break.
func TestWhatComesBehindTheTries(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "member")
		first, second := pendingAt(in, "ada@example.test"), pendingAt(in, "ada@example.test")
		for n := range 10 {
			browser := first
			if n >= 5 {
				browser = second
			}
			why := browser.Code(ada.Wrong(n)).Diagnosed("wrong_code")
			if left := why["attempts_left"]; left != float64(4-n%5) {
				t.Errorf("%d: %v left", n, left)
			}
			if then := why["break_next"] == true; then != (n >= 5) {
				t.Errorf("%d: a break follows: %v", n, then)
			}
		}
		if why := second.Code(ada.Wrong(10)).Diagnosed("too_many_attempts"); why["start_again"] == true || why["retry_after_seconds"] == nil {
			t.Errorf("%v", why)
		}
	})
}

func TestRow42OneBudgetForEveryMethodAndPlace(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "administrator")
		session := in.SignedIn("ada@example.test", ada, servertest.Safari)
		in.Beside()
		left := func(t *testing.T, answer *servertest.Answer, want int) {
			t.Helper()
			if why := answer.Diagnosed("wrong_code"); why["attempts_left"] != float64(want) {
				t.Fatalf("%v attempts left, want %d", why["attempts_left"], want)
			}
		}
		prove := func(code string) *servertest.Answer { return session.Prove(code) }

		// Four at a time, and the right password again in between, which resets nothing.
		one := pendingAt(in, "ada@example.test")
		left(t, one.Code(ada.Wrong(0)), 4)
		left(t, backup(one, servertest.WrongBackupCode), 3)
		left(t, one.Code(servertest.WrongBackupCode), 2)
		left(t, backup(one, ada.Wrong(1)), 1)
		left(t, prove(ada.Wrong(2)), 5)
		left(t, prove(servertest.WrongBackupCode), 4)
		two := pendingAt(in, "ada@example.test")
		left(t, two.Code(ada.Wrong(3)), 3)
		left(t, two.Code(ada.Wrong(4)), 2)
		left(t, prove(ada.Wrong(5)), 1)
		left(t, two.Code(ada.Wrong(6)), 0)

		t.Run("then every path refuses, right codes too", func(t *testing.T) {
			third := pendingAt(in, "ada@example.test")
			for name, answer := range map[string]*servertest.Answer{
				"app code at sign-in": third.Code(ada.Code()), "backup code at sign-in": backup(third, ada.Codes[0]),
				"app code as proof": prove(ada.Code()), "backup code as proof": prove(ada.Codes[0]),
				"wrong code at sign-in": third.Code(ada.Wrong(7)),
			} {
				t.Run(name, func(t *testing.T) {
					why := answer.Diagnosed("too_many_attempts")
					if why["retry_after_seconds"] != 60.0 || answer.Header.Get("Retry-After") != "60" {
						t.Errorf("%v, Retry-After %s", why, answer.Header.Get("Retry-After"))
					}
				})
			}
			noSession(t, third)
		})
		t.Run("passwords have a budget of their own", func(t *testing.T) {
			if failed := in.Column("SELECT key FROM password_tries"); len(failed) != 0 {
				t.Errorf("%d counters of passwords", len(failed))
			}
			pendingAt(in, "ada@example.test")
		})
		t.Run("who is signed in goes on", func(t *testing.T) {
			session.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
		})
		t.Run("another person is not slowed", func(t *testing.T) {
			in.Clock.NextStep()
			bob := in.Protected("bob@example.test", "member")
			in.Change("UPDATE second_step_tries SET blocked_until = blocked_until + 3600000")
			in.SignedIn("bob@example.test", bob, servertest.Firefox)
		})
	})
}

func TestRow42DelaysDoubleThenLock(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		const email = "ada@example.test"
		ada := in.Protected(email, "member")
		id := in.Column("SELECT id FROM users")[0]
		refused := func(t *testing.T) map[string]any {
			t.Helper()
			return pendingAt(in, email).Code(ada.Code()).Diagnosed("too_many_attempts")
		}
		for n := range 10 {
			failOnce(in, email, ada, n).Diagnosed("wrong_code")
		}
		failed := 10
		for _, seconds := range []int{60, 120, 240, 480, 960, 1920, 3600, 3600} {
			if why := refused(t); why["retry_after_seconds"] != float64(seconds) {
				t.Fatalf("after %d wrong codes: %v, want %d", failed, why, seconds)
			}
			in.Clock.Advance(time.Duration(seconds)*time.Second - time.Millisecond)
			refused(t)
			in.Clock.Advance(time.Millisecond)
			failOnce(in, email, ada, failed).Diagnosed("wrong_code")
			failed++
		}
		t.Run("refused tries are not counted", func(t *testing.T) {
			if counted := tries(in, "in_a_row"); counted != fmt.Sprint(failed) {
				t.Errorf("%s in a row, want %d", counted, failed)
			}
		})
		t.Run("an hour without a try gives a new budget, and keeps the row", func(t *testing.T) {
			in.Clock.Advance(2 * time.Hour)
			if why := failOnce(in, email, ada, 0).Diagnosed("wrong_code"); why["attempts_left"] != 4.0 {
				t.Errorf("%v", why)
			}
			failed++
			if tries(in, "failures") != "1" || tries(in, "in_a_row") != fmt.Sprint(failed) {
				t.Errorf("%s failures, %s in a row", tries(in, "failures"), tries(in, "in_a_row"))
			}
		})
		t.Run("fifty in a row lock, whatever time passes", func(t *testing.T) {
			for ; failed < 50; failed++ {
				in.Clock.Advance(2 * time.Hour)
				failOnce(in, email, ada, failed).Diagnosed("wrong_code")
			}
			for range 2 {
				why := refused(t)
				if _, told := why["retry_after_seconds"]; why["locked"] != true || told {
					t.Errorf("%v", why)
				}
				backup(pendingAt(in, email), ada.Codes[0]).Diagnosed("too_many_attempts")
				in.Clock.Advance(1000 * time.Hour)
			}
		})
		t.Run("a new password given on the console unlocks", func(t *testing.T) {
			in.SetPassword(id, servertest.Password)
			pendingAt(in, email).Code(ada.Code()).Want(http.StatusOK)
			in.Clock.NextStep()
		})
		t.Run("a right code ends the row and the delay, not the hour's count", func(t *testing.T) {
			for n := range 9 {
				failOnce(in, email, ada, n).Diagnosed("wrong_code")
			}
			pendingAt(in, email).Code(ada.Code()).Want(http.StatusOK)
			in.Clock.NextStep()
			if tries(in, "failures") != "9" || tries(in, "in_a_row") != "0" {
				t.Errorf("%s failures, %s in a row", tries(in, "failures"), tries(in, "in_a_row"))
			}
			backup(pendingAt(in, email), ada.Codes[1]).Want(http.StatusOK) // counted before it is looked at, then taken back
			if tries(in, "failures") != "9" || tries(in, "blocked_until") != "0" {
				t.Errorf("%s failures, blocked until %s", tries(in, "failures"), tries(in, "blocked_until"))
			}
		})
		t.Run("forty-nine and a right backup code do not lock", func(t *testing.T) {
			in.Clock.Advance(2 * time.Hour)
			in.Change("UPDATE second_step_tries SET in_a_row = 49")
			backup(pendingAt(in, email), ada.Codes[2]).Want(http.StatusOK)
			in.Clock.NextStep()
			pendingAt(in, email).Code(ada.Code()).Want(http.StatusOK)
		})
	})
}

func TestRow43RefusalsAreCommitted(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "member")
		browser := pendingAt(in, "ada@example.test")
		for n := range 5 {
			browser.Code(ada.Wrong(n)).Diagnosed("wrong_code")
		}
		browser.Code(ada.Wrong(5)).Diagnosed("too_many_attempts")
		failOnce(in, "ada@example.test", ada, 6).Diagnosed("wrong_code")
		if tries(in, "failures") != "6" || tries(in, "in_a_row") != "6" {
			t.Errorf("%s failures, %s in a row, want 6", tries(in, "failures"), tries(in, "in_a_row"))
		}
		if attempts := in.Column("SELECT CAST(attempts AS TEXT) FROM pending_sign_ins ORDER BY id"); len(attempts) != 2 || attempts[0] != "5" || attempts[1] != "1" {
			t.Errorf("attempts %v", attempts)
		}
		events := in.Column("SELECT reason FROM events WHERE kind = 'sign_in.second_step' AND result = 'refused' AND reason IN ('wrong_code', 'too_many_attempts')")
		if len(events) != 6 { // what the limit refuses unlooked at is in the log alone
			t.Errorf("%d events of 6 wrong codes", len(events))
		}
		t.Run("and a code that comes to nothing in the end is counted all the same", func(t *testing.T) {
			browser := pendingAt(in, "ada@example.test")
			in.Change("ALTER TABLE backup_code_sets RENAME TO away")
			backup(browser, ada.Codes[0]).Refused(http.StatusInternalServerError, "internal_fault")
			in.Change("ALTER TABLE away RENAME TO backup_code_sets")
			if tries(in, "failures") != "7" {
				t.Errorf("%s failures, want 7", tries(in, "failures"))
			}
		})
	})
}

func TestRow44LimitsOutliveRestartsAndFailClosed(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		const email = "ada@example.test"
		ada := in.Protected(email, "member")
		in.AddPerson("Bob", "bob@example.test", "member")
		first := in.First()
		password := func(c *servertest.Client, secret string) *servertest.Answer {
			return guess(c, "bob@example.test", secret)
		}
		browser := in.Browser(servertest.Firefox)
		pending := pendingAt(in, email)
		for n := range 4 {
			password(browser, wrongPassword).Refused(http.StatusUnauthorized, "bad_credentials")
			pending.Code(ada.Wrong(n)).Diagnosed("wrong_code")
		}
		first.Stop()
		in.Instances = nil
		in.Another()
		browser, pending = browser.On(in.First()), pending.On(in.First())

		t.Run("passwords are still counted after a restart", func(t *testing.T) {
			password(browser, wrongPassword).Refused(http.StatusUnauthorized, "bad_credentials")
			password(browser, wrongPassword).Refused(http.StatusTooManyRequests, "too_many_passwords")
		})
		t.Run("so are codes, and the pending sign-in goes on", func(t *testing.T) {
			if why := pending.Code(ada.Wrong(4)).Diagnosed("wrong_code"); why["attempts_left"] != 0.0 {
				t.Errorf("%v", why)
			}
			pending.Code(ada.Code()).Diagnosed("too_many_attempts")
		})
		in.Clock.Advance(time.Hour)
		t.Run("without the passwords' counters nobody signs in", func(t *testing.T) {
			in.Change("ALTER TABLE password_tries RENAME TO away")
			before := in.Runs()
			fresh := in.Browser(servertest.Firefox)
			password(fresh, servertest.Password).Refused(http.StatusInternalServerError, "internal_fault")
			noSession(t, fresh)
			if in.Runs() != before {
				t.Error("the password was checked all the same")
			}
			in.Change("ALTER TABLE away RENAME TO password_tries")
			password(fresh, servertest.Password).Want(http.StatusOK)
		})
		t.Run("without the codes' counters neither", func(t *testing.T) {
			fresh := pendingAt(in, email)
			before := in.Runs()
			without := func(change, undo string, answers ...func() *servertest.Answer) {
				in.Change(change)
				for _, answer := range answers {
					answer().Refused(http.StatusInternalServerError, "internal_fault")
				}
				noSession(t, fresh)
				if in.Runs() != before {
					t.Error("a backup code was checked all the same")
				}
				in.Change(undo)
			}
			right := func() *servertest.Answer { return fresh.Code(ada.Code()) }
			wrong := func() *servertest.Answer { return fresh.Code(ada.Wrong(0)) }
			spare := func() *servertest.Answer { return backup(fresh, ada.Codes[0]) }
			without("ALTER TABLE second_step_tries RENAME TO away", "ALTER TABLE away RENAME TO second_step_tries", right, wrong, spare)
			// What only counting reads: a code that was looked up is not looked at.
			without("ALTER TABLE second_step_tries RENAME COLUMN failures TO away", "ALTER TABLE second_step_tries RENAME COLUMN away TO failures",
				wrong, spare)
			fresh.Code(ada.Code()).Want(http.StatusOK)
		})
	})
}
