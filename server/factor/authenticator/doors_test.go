package authenticator_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/factor/totp"
	"github.com/secondstep/secondstep/server/servertest"
)

// person is somebody with 2-step verification on.
type person struct {
	*servertest.Enrolled
	email string
	label string             // of the entry in the app
	here  *servertest.Client // their own browser, in which nobody is signed in
}

func protected(in *servertest.Installation, name string) *person {
	email := name + "@example.test"
	return &person{
		Enrolled: in.Protected(email, "member"), email: email, label: "MailMachine: " + email,
		here: in.Browser(servertest.Firefox),
	}
}

// signIn gives the password and then a code, in the person's own browser.
func (p *person) signIn(code string) *servertest.Answer {
	p.here.Password(p.email).Want(200)
	return p.here.Code(code)
}

// door is one of the three places where a code of an app is given.
type door struct {
	name  string
	phone *servertest.Phone // of the app that is asked for
	label string            // of that app's entry
	left  int               // tries left after the first refusal
	give  func(with map[string]any) *servertest.Answer
}

func (d door) code(code string) *servertest.Answer { return d.give(map[string]any{"code": code}) }

// doors makes a person for each place, who comes to it with an unspent app.
func doors(in *servertest.Installation, name string) []door {
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	out := protected(in, name+"-out")
	inside := protected(in, name+"-in")
	session := in.SignedIn(inside.email, inside.Enrolled, servertest.Firefox)
	enrolling := name + "-enrolling@example.test"
	in.AddPerson("Eve", enrolling, "member")
	browser := in.Browser(servertest.Firefox)
	browser.Password(enrolling).Want(200)
	begun := browser.Do("POST", servertest.Enrolments, map[string]any{}).Want(201)
	in.Clock.NextStep() // so that the step before this one is unspent everywhere
	return []door{
		{"sign-in", out.Phone, out.label, 4, func(with map[string]any) *servertest.Answer {
			out.here.Password(out.email).Want(200)
			return out.here.Do("POST", "/api/v1/sign-in/totp", with)
		}},
		{"proof", inside.Phone, inside.label, 9, func(with map[string]any) *servertest.Answer {
			with = maps.Clone(with)
			with["password"] = servertest.Password
			return session.Do("POST", "/api/v1/session/proof", with)
		}},
		{"enrolment", in.Scan(begun.Text("secret")), begun.Text("label"), 9, func(with map[string]any) *servertest.Answer {
			return browser.Do("POST", servertest.Enrolments+"/"+begun.Text("id")+"/confirm", with)
		}},
	}
}

// atEachDoor runs a test at sign-in, at fresh proof and at enrolment.
func atEachDoor(t *testing.T, in *servertest.Installation, run func(t *testing.T, d door)) {
	t.Helper()
	for _, d := range doors(in, t.Name()[strings.LastIndex(t.Name(), "/")+1:]) {
		t.Run(d.name, func(t *testing.T) { run(t, d) })
	}
}

// forgive makes the installation forget every try, every step that is gone, and that enrolments were begun.
func forgive(in *servertest.Installation) {
	in.Change("DELETE FROM second_step_tries")
	in.Change("DELETE FROM totp_spent_steps")
	in.Change("DELETE FROM events WHERE kind = 'enrolment.started'")
	in.Change("UPDATE totp_apps SET last_step = 0")
	in.Change("UPDATE totp_enrolments SET last_step = 0, attempts = 0")
}

func now(in *servertest.Installation) string { return in.Clock.Now().UTC().Format(time.RFC3339) }

// ambiguous reports whether a code is, by chance, that of more than one step that the search reaches; then it is explained
// as the likelier one.
func ambiguous(in *servertest.Installation, phone *servertest.Phone, later time.Duration) bool {
	now := totp.Step(in.Clock.Now())
	return len(totp.Match(phone.Secret, phone.CodeIn(later), now-1700, now+1700)) > 1
}

// rows are sub-tests that share one installation.
type rows []struct {
	name string
	run  func(t *testing.T, in *servertest.Installation)
}

func (r rows) onBoth(t *testing.T) {
	t.Helper()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		for _, row := range r {
			t.Run(row.name, func(t *testing.T) { row.run(t, in.For(t)) })
		}
	})
}
