package backupcode_test

import (
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

type why = map[string]any

// person is somebody with 2-step verification on.
type person struct {
	*servertest.Enrolled
	email, label string
	here         *servertest.Client // their own browser, in which nobody is signed in
}

func protected(in *servertest.Installation, name string) *person {
	email := name + "@example.test"
	return &person{
		Enrolled: in.Protected(email, "member"), email: email, label: "MailMachine: " + email,
		here: in.Browser(servertest.Firefox),
	}
}

// signIn gives the password and then a code into the field of backup codes.
func (p *person) signIn(code string) *servertest.Answer {
	p.here.Password(p.email).Want(200)
	return paper(p.here, code)
}

// paper gives a code into the field of backup codes.
func paper(browser *servertest.Client, code string) *servertest.Answer {
	return browser.Do("POST", "/api/v1/sign-in/backup-code", map[string]string{"code": code})
}

// renew makes a new set and saves it.
func renew(in *servertest.Installation, session *servertest.Client) []string {
	codes := session.Do("POST", servertest.Security+"/backup-codes", map[string]string{"password": servertest.Password}).Want(200)
	session.Do("POST", servertest.Security+"/backup-codes/activate", nil).Want(200)
	return codes.Texts("backup_codes")
}

// door is one of the two places where a backup code is given.
type door struct {
	*person
	name string
	left int // tries left after the first refusal
	give func(code string) *servertest.Answer
}

// atEachDoor runs a test at sign-in and at fresh proof; session is one in which the person has fresh proof by the app.
func atEachDoor(t *testing.T, in *servertest.Installation, run func(t *testing.T, d door, session *servertest.Client)) {
	t.Helper()
	name := strings.ReplaceAll(t.Name()[strings.LastIndex(t.Name(), "/")+1:], "_", "-")
	out, inside := protected(in, name+"-out"), protected(in, name+"-in")
	for _, d := range []door{{out, "sign-in", 4, out.signIn}, {inside, "proof", 9, nil}} {
		session := in.SignedIn(d.email, d.Enrolled, servertest.Firefox)
		if d.give == nil {
			d.give = session.Prove
		}
		t.Run(d.name, func(t *testing.T) { run(t, d, session) })
	}
}

// Every row of guidance.md's table of backup codes, at each door, with exactly its data.
func TestWhyABackupCodeIsRefused(t *testing.T) {
	rows := []struct {
		name string
		run  func(t *testing.T, in *servertest.Installation)
	}{
		{"backup_code_used", used},
		{"backup_code_replaced", replaced},
		{"typo", typo},
		{"wrong_code", wrongCode},
		{"malformed", malformed},
		{"six_digits_in_its_field", sixDigits},
		{"backup_code_in_the_field_of_the_app", inTheOtherField},
		{"no_backup_codes_left", noneLeft},
		{"setup_not_finished", notFinished},
		{"costs_a_try", costsATry},
	}
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		for _, row := range rows {
			t.Run(row.name, func(t *testing.T) { row.run(t, in.For(t)) })
		}
	})
}

func used(t *testing.T, in *servertest.Installation) {
	atEachDoor(t, in, func(t *testing.T, d door, _ *servertest.Client) {
		d.give(d.Codes[0]).Want(200)
		d.give(d.Codes[6]).Want(200)
		at := in.Clock.Now().UTC()
		in.Clock.Advance(5 * time.Minute)
		d.give(d.Codes[6]).Explains(why{"reason": "backup_code_used", "attempts_left": d.left, "used_at": at, "used_browser": "Firefox on Linux",
			"next_number": 2, "remaining": 8})
	})
}

func replaced(t *testing.T, in *servertest.Installation) {
	atEachDoor(t, in, func(t *testing.T, d door, session *servertest.Client) {
		renew(in, session)
		at := in.Clock.Now().UTC()
		in.Clock.Advance(time.Minute)
		told := why{"reason": "backup_code_replaced", "attempts_left": d.left, "replaced_at": at, "remaining": 10}
		d.give(d.Codes[0]).Explains(told)
		if d.name == "sign-in" { // 90 days later it is still known which set it was from, then no more
			in.Change("DELETE FROM second_step_tries")
			in.Clock.Advance(89 * 24 * time.Hour)
			d.give(d.Codes[0]).Explains(told)
		}
	})
}

func typo(t *testing.T, in *servertest.Installation) {
	atEachDoor(t, in, func(t *testing.T, d door, _ *servertest.Client) {
		likeO := strings.NewReplacer("0", "O", "1", "l").Replace(d.Codes[5])
		for number, typed := range []string{
			d.Codes[0], strings.ToLower(d.Codes[1]), strings.ReplaceAll(d.Codes[2], "-", ""), "  " + strings.ReplaceAll(d.Codes[3], "-", " "),
			strings.ReplaceAll(d.Codes[4], "-", "\u2013"), likeO, strings.NewReplacer("0", "o", "1", "I").Replace(d.Codes[6]),
		} {
			answer := d.give(typed).Want(200)
			if answer.Body["method"] != "backup_code" || answer.Body["backup_codes_remaining"] != float64(9-number) {
				t.Errorf("%d: %s", number, answer.Raw)
			}
		}
	})
}

func wrongCode(t *testing.T, in *servertest.Installation) {
	atEachDoor(t, in, func(t *testing.T, d door, _ *servertest.Client) {
		told := why{"reason": "wrong_code", "attempts_left": d.left, "remaining": 10}
		d.give(servertest.WrongBackupCode).Explains(told)
		// A right selector with a wrong secret is told the same.
		in.Change("DELETE FROM second_step_tries")
		d.give(d.Codes[0][:2] + "ZZZ-ZZZZZ-ZZZZZ").Explains(told)
	})
}

func malformed(t *testing.T, in *servertest.Installation) {
	ada := protected(in, "shapes")
	ada.here.Password(ada.email).Want(200)
	in.Change("UPDATE pending_sign_ins SET attempts = 0")
	for _, shape := range []string{"12345", "1234567", ada.Codes[0][:16], ada.Codes[0] + "A", "UUUUU-UUUUU-UUUUU", "абвгд-абвгд-абвгд", strings.Repeat("-", 150)} {
		paper(ada.here, shape).Explains(why{"reason": "malformed", "expected": "backup_code"})
	}
	if counted := in.Column("SELECT attempts FROM pending_sign_ins WHERE attempts > 0"); len(counted) != 0 {
		t.Errorf("counted: %v", counted)
	}
}

func sixDigits(t *testing.T, in *servertest.Installation) {
	ada := protected(in, "digits")
	answer := ada.signIn(ada.Code()).Want(200)
	if answer.Body["method"] != "totp" || answer.Body["backup_codes_remaining"] != nil {
		t.Errorf("%s", answer.Raw)
	}
	ada.signIn(ada.Code()).Explains(why{"reason": "already_used", "attempts_left": 4, "next_code_in_seconds": 15, "used_here": true})
	ada.signIn(ada.Wrong(0)).Explains(why{"reason": "wrong_code", "attempts_left": 4, "setup_label": ada.label})
}

func inTheOtherField(t *testing.T, in *servertest.Installation) {
	ada := protected(in, "field")
	ada.here.Password(ada.email).Want(200)
	answer := ada.here.Code(ada.Codes[0]).Want(200)
	if answer.Body["method"] != "backup_code" || answer.Body["backup_codes_remaining"] != 9.0 {
		t.Errorf("%s", answer.Raw)
	}
	with := ada.here.Do("GET", "/api/v1/session", nil).Want(200).Texts("signed_in_with")
	if strings.Join(with, ",") != "password,backup_code" {
		t.Errorf("signed in with %v", with)
	}
	proved := ada.here.Prove(ada.Codes[1]).Want(200)
	if proved.Body["method"] != "backup_code" || proved.Body["backup_codes_remaining"] != 8.0 {
		t.Errorf("%s", proved.Raw)
	}
	ada.here.Password(ada.email).Want(200)
	ada.here.Code(ada.Codes[1]).Diagnosed("backup_code_used")
}

func noneLeft(t *testing.T, in *servertest.Installation) {
	atEachDoor(t, in, func(t *testing.T, d door, _ *servertest.Client) {
		for _, code := range d.Codes {
			d.give(code).Want(200)
		}
		d.give(servertest.WrongBackupCode).Explains(why{"reason": "no_backup_codes_left", "attempts_left": d.left, "remaining": 0})
		answer := d.here.Password(d.email).Want(200)
		if methods := strings.Join(answer.Texts("methods"), ","); methods != "totp" {
			t.Errorf("asked for %s", methods)
		}
		d.here.Code(d.Code()).Want(200) // the app is as good as ever
	})
}

// A set that was never marked as saved proves nothing, and says so.
func notFinished(t *testing.T, in *servertest.Installation) {
	atEachDoor(t, in, func(t *testing.T, d door, session *servertest.Client) {
		made := session.Do("POST", servertest.Security+"/backup-codes", map[string]string{"password": servertest.Password}).Want(200)
		codes := made.Texts("backup_codes")
		d.give(codes[0]).Explains(why{"reason": "setup_not_finished", "attempts_left": d.left, "remaining": 10})
		d.give(d.Codes[0]).Want(200) // the old set lives until then
	})
}

func costsATry(t *testing.T, in *servertest.Installation) {
	ada := protected(in, "costly")
	session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
	codes := renew(in, session)
	pending := session.Do("POST", servertest.Security+"/backup-codes", map[string]string{"password": servertest.Password}).Want(200).Texts("backup_codes")
	ada.signIn(codes[0]).Want(200)
	ada.here.Password(ada.email).Want(200)
	for number, try := range []struct{ code, reason string }{
		{codes[0], "backup_code_used"}, {ada.Codes[1], "backup_code_replaced"}, {pending[1], "setup_not_finished"},
		{servertest.WrongBackupCode, "wrong_code"}, {ada.Wrong(0), "wrong_code"}, // one budget for both kinds
	} {
		if left := paper(ada.here, try.code).Diagnosed(try.reason)["attempts_left"]; left != float64(4-number) {
			t.Errorf("%s leaves %v", try.reason, left)
		}
	}
	paper(ada.here, codes[2]).Explains(why{"reason": "too_many_attempts", "retry_after_seconds": 1, "start_again": true})
	ada.signIn(codes[2]).Want(200)
}
