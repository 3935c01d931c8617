package authenticator_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

type why = map[string]any

// Every row of guidance.md's table of app codes, at each door, with exactly its data.
func TestWhyACodeOfAnAppIsRefused(t *testing.T) {
	rows{
		{"wrong_code", wrongCode},
		{"already_used_here", usedHere},
		{"already_used_elsewhere", usedElsewhere},
		{"older_than_last", olderThanLast},
		{"clock_behind_and_ahead", clockOff},
		{"quarter_hours", quarterHours},
		{"server_clock_suspect", serverClock},
		{"malformed", malformed},
		{"setup_not_finished", setupNotFinished},
		{"enrolment_expired", enrolmentExpired},
		{"too_many_attempts", tooManyAttempts},
		{"sign_in_expired", signInExpired},
		{"previous_setup_replaced", previousReplaced},
		{"previous_setup_abandoned", previousAbandoned},
		{"previous_setup_of_an_app_that_works", previousStillActive},
		{"previous_setup_disabled", previousDisabled},
		{"previous_setup_removed", previousRemoved},
		{"previous_setup_forgotten", previousForgotten},
	}.onBoth(t)
}

func wrongCode(t *testing.T, in *servertest.Installation) {
	atEachDoor(t, in, func(t *testing.T, d door) {
		d.code(d.phone.Wrong(0)).Explains(why{"reason": "wrong_code", "attempts_left": d.left, "setup_label": d.label})
	})
}

func usedHere(t *testing.T, in *servertest.Installation) {
	atEachDoor(t, in, func(t *testing.T, d door) {
		code := d.phone.Code()
		d.code(code).Want(200)
		d.code(code).Explains(why{"reason": "already_used", "attempts_left": d.left, "next_code_in_seconds": 15, "used_here": true})
	})
}

func usedElsewhere(t *testing.T, in *servertest.Installation) {
	t.Run("sign-in", func(t *testing.T) {
		ada := protected(in, "elsewhere-out")
		code, at := ada.Code(), now(in)
		phone := in.Browser(servertest.Safari)
		phone.Password(ada.email).Want(200)
		phone.Code(code).Want(200)
		in.Clock.Advance(5 * time.Second)
		ada.signIn(code).Explains(why{"reason": "already_used", "attempts_left": 4, "next_code_in_seconds": 10,
			"used_here": false, "used_at": at, "used_browser": "Safari on iPhone"})
		in.Clock.NextStep()
	})
	t.Run("proof", func(t *testing.T) {
		ada := protected(in, "elsewhere-in")
		session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
		code := ada.Code()
		phone := in.Browser(servertest.Safari)
		phone.Password(ada.email).Want(200)
		phone.Code(code).Want(200)
		session.Prove(code).Explains(why{"reason": "already_used", "attempts_left": 9, "next_code_in_seconds": 15,
			"used_here": false, "used_at": now(in), "used_browser": "Safari on iPhone"})
	})
	t.Run("enrolment", func(t *testing.T) {
		in.AddPerson("Eve", "elsewhere-new@example.test", "member")
		first, second := in.Browser(servertest.Safari), in.Browser(servertest.Firefox)
		first.Password("elsewhere-new@example.test").Want(200)
		second.Password("elsewhere-new@example.test").Want(200)
		begun := first.Do("POST", servertest.Enrolments, nil).Want(201)
		code := in.Scan(begun.Text("secret")).Code()
		first.Confirm(begun.Text("id"), code).Want(200)
		second.Confirm(begun.Text("id"), code).Explains(why{"reason": "already_used", "attempts_left": 9, "next_code_in_seconds": 15,
			"used_here": false, "used_at": now(in), "used_browser": "Safari on iPhone"})
	})
}

func olderThanLast(t *testing.T, in *servertest.Installation) {
	atEachDoor(t, in, func(t *testing.T, d door) {
		d.code(d.phone.Code()).Want(200)
		d.code(d.phone.CodeIn(-30 * time.Second)).
			Explains(why{"reason": "older_than_last", "attempts_left": d.left, "next_code_in_seconds": 15})
	})
}

func clockOff(t *testing.T, in *servertest.Installation) {
	atEachDoor(t, in, func(t *testing.T, d door) {
		d.phone.Behind = 4 * time.Minute
		d.code(d.phone.Code()).Explains(why{"reason": "clock_behind", "attempts_left": d.left, "offset_seconds": -240})
		forgive(in)
		d.phone.Behind = -90 * time.Second
		d.code(d.phone.Code()).Explains(why{"reason": "clock_ahead", "attempts_left": d.left, "offset_seconds": 90})
	})
}

// Where phone and browser agree, the server may be the one that is wrong, and an administrator can read it.
func serverClock(t *testing.T, in *servertest.Installation) {
	atEachDoor(t, in, func(t *testing.T, d door) {
		d.phone.Behind = 4 * time.Minute
		d.give(why{"code": d.phone.Code(), "browser_now": in.Clock.Now().Add(-4 * time.Minute).UTC()}).
			Explains(why{"reason": "clock_behind", "attempts_left": d.left, "offset_seconds": -240, "server_clock_suspect": true})
		told := in.Column("SELECT data FROM events WHERE reason = 'clock_behind' ORDER BY id DESC LIMIT 1")
		if len(told) != 1 || !strings.Contains(told[0], `"server_clock_suspect":true`) || !strings.Contains(told[0], "-240") {
			t.Errorf("the event says %q", told)
		}
		if log := in.First().Log.String(); strings.Count(log, "check the server's clock") == 0 {
			t.Error("no line for the administrator in the log")
		}
		forgive(in)
		d.give(why{"code": d.phone.Code(), "browser_now": in.Clock.Now().UTC()}).
			Explains(why{"reason": "clock_behind", "attempts_left": d.left, "offset_seconds": -240})
	})
}

func malformed(t *testing.T, in *servertest.Installation) {
	count := func() int {
		return len(in.Column("SELECT failures FROM second_step_tries WHERE failures > 0 UNION ALL SELECT attempts FROM totp_enrolments WHERE attempts > 0"))
	}
	forgive(in)
	shapes := []string{"12345", "1234567", "12345a", "abcdef", "١٢٣٤٥٦", "１２３４５６", "--", " "}
	atEachDoor(t, in, func(t *testing.T, d door) {
		for _, shape := range shapes {
			d.code(shape).Explains(why{"reason": "malformed", "expected": "app_code"})
		}
		if counted := count(); counted != 0 {
			t.Errorf("%d were counted, though they were compared with nothing", counted)
		}
	})
	t.Run("a backup code is none of the new app", func(t *testing.T) {
		in.AddPerson("Eve", "paper@example.test", "member")
		browser := in.Browser(servertest.Firefox)
		browser.Password("paper@example.test").Want(200)
		begun := browser.Do("POST", servertest.Enrolments, nil).Want(201)
		browser.Confirm(begun.Text("id"), "01234-56789-ABCDE").Explains(why{"reason": "malformed", "expected": "app_code"})
	})
}

func setupNotFinished(t *testing.T, in *servertest.Installation) {
	begin := func(name string) (*person, *servertest.Client, *servertest.Answer) {
		ada := protected(in, name)
		session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
		return ada, session, session.Do("POST", servertest.Enrolments, nil).Want(201)
	}
	t.Run("sign-in", func(t *testing.T) {
		ada, _, begun := begin("unfinished-out")
		ada.signIn(in.Scan(begun.Text("secret")).Code()).
			Explains(why{"reason": "setup_not_finished", "attempts_left": 4, "setup_label": ada.label + " (2)"})
		ada.signIn(ada.Code()).Want(200)
	})
	t.Run("proof", func(t *testing.T) {
		ada, session, begun := begin("unfinished-in")
		session.Prove(in.Scan(begun.Text("secret")).Code()).
			Explains(why{"reason": "setup_not_finished", "attempts_left": 9, "setup_label": ada.label + " (2)"})
		session.Prove(ada.Code()).Want(200)
	})
}

func enrolmentExpired(t *testing.T, in *servertest.Installation) {
	begin := func(email string) (*servertest.Client, string, *servertest.Phone) {
		in.AddPerson("Eve", email, "member")
		browser := in.Browser(servertest.Firefox)
		browser.Password(email).Want(200)
		begun := browser.Do("POST", servertest.Enrolments, nil).Want(201)
		return browser, begun.Text("id"), in.Scan(begun.Text("secret"))
	}
	expired := why{"reason": "enrolment_expired"}
	t.Run("after ten minutes", func(t *testing.T) {
		browser, id, phone := begin("late@example.test")
		in.Clock.Advance(10 * time.Minute)
		browser.Confirm(id, phone.Code()).Explains(expired)
	})
	t.Run("not a second sooner", func(t *testing.T) {
		browser, id, phone := begin("just@example.test")
		in.Clock.Advance(10*time.Minute - time.Second)
		browser.Confirm(id, phone.Code()).Want(200)
	})
	t.Run("taken over by a newer tab", func(t *testing.T) {
		browser, id, phone := begin("tabs@example.test")
		browser.Do("POST", servertest.Enrolments, nil).Want(201)
		browser.Confirm(id, phone.Code()).Explains(expired)
	})
	t.Run("given up", func(t *testing.T) {
		browser, id, phone := begin("gave-up@example.test")
		browser.Do("DELETE", servertest.Enrolments+"/"+id, nil).Want(204)
		browser.Confirm(id, phone.Code()).Explains(expired)
	})
	t.Run("never begun", func(t *testing.T) {
		browser, _, phone := begin("never@example.test")
		browser.Confirm("01JZZZZZZZZZZZZZZZZZZZZZZZ", phone.Code()).Explains(expired)
	})
}

func tooManyAttempts(t *testing.T, in *servertest.Installation) {
	t.Run("sign-in", func(t *testing.T) {
		ada := protected(in, "many-out")
		wrong := ada.Wrong(0)
		for range 2 {
			ada.here.Password(ada.email).Want(200)
			for range 5 {
				ada.here.Code(wrong).Diagnosed("wrong_code")
			}
		}
		ada.here.Password(ada.email).Want(200)
		refused := ada.here.Code(ada.Code())
		refused.Explains(why{"reason": "too_many_attempts", "retry_after_seconds": 60})
		if refused.Header.Get("Retry-After") != "60" {
			t.Errorf("Retry-After: %q", refused.Header.Get("Retry-After"))
		}
		in.Clock.Advance(time.Minute)
		ada.here.Code(ada.Code()).Want(200)
	})
	t.Run("one pending sign-in", func(t *testing.T) {
		ada := protected(in, "five")
		ada.here.Password(ada.email).Want(200)
		wrong := ada.Wrong(0)
		for left := 4; left >= 0; left-- {
			ada.here.Code(wrong).Explains(why{"reason": "wrong_code", "attempts_left": left, "setup_label": ada.label})
		}
		ada.here.Code(ada.Code()).Explains(why{"reason": "too_many_attempts", "retry_after_seconds": 1, "start_again": true})
		ada.signIn(ada.Code()).Want(200)
	})
	t.Run("proof", func(t *testing.T) {
		ada := protected(in, "many-in")
		session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
		wrong := ada.Wrong(0)
		for left := 9; left >= 0; left-- {
			session.Prove(wrong).Explains(why{"reason": "wrong_code", "attempts_left": left, "setup_label": ada.label})
		}
		session.Prove(ada.Code()).Explains(why{"reason": "too_many_attempts", "retry_after_seconds": 60})
		in.Clock.Advance(time.Minute)
		session.Prove(ada.Code()).Want(200)
	})
	t.Run("enrolment has a budget of its own", func(t *testing.T) {
		ada := protected(in, "many-new")
		session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
		begun := session.Do("POST", servertest.Enrolments, nil).Want(201)
		phone := in.Scan(begun.Text("secret"))
		wrong := ada.Wrong(0)
		for left := 9; left >= 0; left-- {
			session.Confirm(begun.Text("id"), wrong).
				Explains(why{"reason": "wrong_code", "attempts_left": left, "setup_label": ada.label + " (2)"})
		}
		session.Confirm(begun.Text("id"), phone.Code()).Explains(why{"reason": "too_many_attempts", "retry_after_seconds": 1, "start_again": true})
		ada.signIn(wrong).Diagnosed("wrong_code") // the account's own budget is whole
		failures := in.Column("SELECT t.failures FROM second_step_tries AS t JOIN users AS u ON u.id = t.user_id WHERE u.email = ?", ada.email)
		if !slices.Equal(failures, []string{"1"}) {
			t.Errorf("failures of the account: %v", failures)
		}
		again := session.Do("POST", servertest.Enrolments, nil).Want(201)
		session.Confirm(again.Text("id"), in.Scan(again.Text("secret")).Code()).Want(200)
	})
}

func signInExpired(t *testing.T, in *servertest.Installation) {
	expired := why{"reason": "sign_in_expired"}
	t.Run("after five minutes", func(t *testing.T) {
		ada := protected(in, "slow")
		ada.here.Password(ada.email).Want(200)
		in.Clock.Advance(5*time.Minute - time.Second)
		ada.here.Do("GET", "/api/v1/sign-in", nil).Want(200)
		in.Clock.Advance(time.Second)
		code := ada.Code()
		ada.here.Code(code).Explains(expired)
		ada.signIn(code).Want(200) // nothing is lost
	})
	t.Run("when another tab went on", func(t *testing.T) {
		ada := protected(in, "tab")
		ada.here.Password(ada.email).Want(200)
		old := ada.here.Cookie("secondstep_pending")
		ada.here.Code(ada.Code()).Want(200)
		ada.here.Plant("secondstep_pending", old)
		in.Clock.NextStep()
		ada.here.Code(ada.Code()).Explains(expired)
	})
}

func previousReplaced(t *testing.T, in *servertest.Installation) {
	ada := protected(in, "replaced")
	session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
	begun := session.Do("POST", servertest.Enrolments, map[string]any{"replaces": ada.ID}).Want(201)
	phone := in.Scan(begun.Text("secret"))
	session.Confirm(begun.Text("id"), phone.Code()).Want(200)
	at := now(in)
	in.Clock.NextStep()
	told := why{"reason": "previous_setup", "setup_state": "replaced", "replaced_at": at, "old_label": ada.label, "setup_label": ada.label + " (2)"}
	t.Run("sign-in", func(t *testing.T) {
		told["attempts_left"] = 4
		ada.signIn(ada.CodeUnlike(phone)).Explains(told)
	})
	t.Run("proof", func(t *testing.T) {
		told["attempts_left"] = 8
		session.Prove(ada.CodeUnlike(phone)).Explains(told)
	})
	t.Run("enrolment", func(t *testing.T) {
		again := session.Do("POST", servertest.Enrolments, nil).Want(201)
		told["attempts_left"], told["setup_label"] = 9, ada.label+" (3)"
		session.Confirm(again.Text("id"), ada.CodeUnlike(phone, in.Scan(again.Text("secret")))).Explains(told)
	})
}

func previousAbandoned(t *testing.T, in *servertest.Installation) {
	t.Run("enrolment", func(t *testing.T) {
		in.AddPerson("Eve", "twice@example.test", "member")
		browser := in.Browser(servertest.Firefox)
		browser.Password("twice@example.test").Want(200)
		first := browser.Do("POST", servertest.Enrolments, nil).Want(201)
		second, at := browser.Do("POST", servertest.Enrolments, nil).Want(201), now(in)
		code := in.Scan(first.Text("secret")).CodeUnlike(in.Scan(second.Text("secret")))
		browser.Confirm(second.Text("id"), code).Explains(why{"reason": "previous_setup", "attempts_left": 9,
			"setup_state": "abandoned", "replaced_at": at, "old_label": first.Text("label"), "setup_label": second.Text("label")})
	})
	t.Run("sign-in, given up", func(t *testing.T) {
		ada := protected(in, "given-up")
		session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
		begun := session.Do("POST", servertest.Enrolments, nil).Want(201)
		session.Do("DELETE", servertest.Enrolments+"/"+begun.Text("id"), nil).Want(204)
		at := now(in)
		ada.signIn(in.Scan(begun.Text("secret")).CodeUnlike(ada.Phone)).Explains(why{"reason": "previous_setup", "attempts_left": 4,
			"setup_state": "abandoned", "replaced_at": at, "old_label": ada.label + " (2)", "setup_label": ada.label})
	})
	t.Run("sign-in, run out", func(t *testing.T) {
		ada := protected(in, "run-out")
		session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
		begun := session.Do("POST", servertest.Enrolments, nil).Want(201)
		in.Clock.Advance(11 * time.Minute)
		ada.signIn(in.Scan(begun.Text("secret")).CodeUnlike(ada.Phone)).Explains(why{"reason": "previous_setup", "attempts_left": 4,
			"setup_state": "abandoned", "replaced_at": begun.Text("expires_at"), "old_label": ada.label + " (2)", "setup_label": ada.label})
	})
}

func previousStillActive(t *testing.T, in *servertest.Installation) {
	ada := protected(in, "second-app")
	session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
	begun := session.Do("POST", servertest.Enrolments, nil).Want(201)
	code := ada.CodeUnlike(in.Scan(begun.Text("secret")))
	session.Confirm(begun.Text("id"), code).Explains(why{"reason": "previous_setup", "attempts_left": 9,
		"setup_state": "in_use", "old_label": ada.label, "setup_label": ada.label + " (2)"})
	onRecord(t, session, "enrolment.confirmed", map[string]any{"setup_state": "in_use"})
	// Given at the wrong place, under another budget, it is good for nothing any more; the next one is.
	ada.signIn(code).Diagnosed("already_used")
	in.Clock.NextStep()
	ada.signIn(ada.Code()).Want(200)
}

func previousDisabled(t *testing.T, in *servertest.Installation) {
	ada := protected(in, "off-and-on")
	session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
	session.Do("POST", servertest.Security+"/disable", map[string]any{"password": servertest.Password}).Want(200)
	at := now(in)
	phone := in.Enrol(session).Phone
	ada.signIn(ada.CodeUnlike(phone)).Explains(why{"reason": "previous_setup", "attempts_left": 4,
		"setup_state": "disabled", "replaced_at": at, "old_label": ada.label, "setup_label": ada.label + " (2)"})
}

// Whoever removed an app is not told of a setup that was replaced, and the record keeps the difference.
func previousRemoved(t *testing.T, in *servertest.Installation) {
	ada := protected(in, "removed")
	session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
	begun := session.Do("POST", servertest.Enrolments, nil).Want(201)
	tablet := in.Scan(begun.Text("secret"))
	session.Confirm(begun.Text("id"), tablet.Code()).Want(200)
	session.Do("DELETE", servertest.Security+"/factors/"+ada.ID, nil).Want(204)
	at := now(in)
	in.Clock.NextStep()
	told := why{"reason": "previous_setup", "setup_state": "removed", "replaced_at": at, "old_label": ada.label, "setup_label": ada.label + " (2)"}
	t.Run("sign-in", func(t *testing.T) {
		told["attempts_left"] = 4
		ada.signIn(ada.CodeUnlike(tablet)).Explains(told)
		onRecord(t, session, "sign_in.second_step", map[string]any{"setup_state": "removed"})
	})
	t.Run("proof", func(t *testing.T) {
		told["attempts_left"] = 8
		session.Prove(ada.CodeUnlike(tablet)).Explains(told)
	})
}

// onRecord looks at what the person's last refusal of a kind keeps beside its reason.
func onRecord(t *testing.T, session *servertest.Client, kind string, data map[string]any) {
	t.Helper()
	for _, one := range session.Do("GET", servertest.Security+"/events", nil).Want(200).Body["events"].([]any) {
		event := one.(map[string]any)
		if event["kind"] != kind || event["result"] != "refused" {
			continue
		}
		if event["reason"] != "previous_setup" || !reflect.DeepEqual(event["data"], data) {
			t.Errorf("on record is %v", event)
		}
		return
	}
	t.Errorf("no refused %s is on record", kind)
}

// Five earlier setups are known, for 90 days; whatever is older is nobody's code.
func previousForgotten(t *testing.T, in *servertest.Installation) {
	ada := protected(in, "collector")
	session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
	var phones []*servertest.Phone
	for range 7 { // one is pending at the end, six are earlier ones
		phones = append(phones, in.Scan(session.Do("POST", servertest.Enrolments, nil).Want(201).Text("secret")))
		in.Clock.Advance(time.Second)
	}
	// Of none of the others.
	code := func(n int) string {
		return phones[n].CodeUnlike(append(slices.Delete(slices.Clone(phones), n, n+1), ada.Phone)...)
	}
	ada.signIn(code(0)).Explains(why{"reason": "wrong_code", "attempts_left": 4, "setup_label": ada.label})
	for number := range 5 {
		forgive(in)
		if label := ada.signIn(code(number + 1)).Diagnosed("previous_setup")["old_label"]; label != fmt.Sprintf("%s (%d)", ada.label, number+3) {
			t.Errorf("%v", label)
		}
	}
	forgive(in)
	in.Clock.Advance(90*24*time.Hour - time.Minute)
	ada.signIn(code(5)).Diagnosed("previous_setup")
	in.Clock.Advance(2 * time.Minute)
	ada.signIn(code(5)).Diagnosed("wrong_code")
}
