package mfa_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

type body = map[string]any

var password = body{"password": servertest.Password}

const (
	codesPath   = servertest.Security + "/backup-codes"
	disablePath = servertest.Security + "/disable"
)

// newcomer is somebody without 2-step verification, signed in.
func newcomer(in *servertest.Installation, name string) (email string, browser *servertest.Client) {
	email = name + "@example.test"
	in.AddPerson("Eve", email, "member")
	browser = in.Browser(servertest.Firefox)
	browser.Password(email).Want(200)
	return email, browser
}

// protected is a member with 2-step verification on, signed in with the app in one browser.
func protected(in *servertest.Installation, name string) (email string, app *servertest.Enrolled, session *servertest.Client) {
	email = name + "@example.test"
	app = in.Protected(email, "member")
	return email, app, in.SignedIn(email, app, servertest.Firefox)
}

// begin starts an enrolment and scans its code.
func begin(in *servertest.Installation, session *servertest.Client, with any) (id string, phone *servertest.Phone) {
	begun := session.Do("POST", servertest.Enrolments, with).Want(201)
	return begun.Text("id"), in.Scan(begun.Text("secret"))
}

func activate(session *servertest.Client, id string) *servertest.Answer {
	return session.Do("POST", servertest.Enrolments+"/"+id+"/activate", nil)
}

// signIn signs somebody in in a browser of its own; the answer is that of the second step.
func signIn(in *servertest.Installation, email, code string) (*servertest.Client, *servertest.Answer) {
	browser := in.Browser(servertest.Safari)
	browser.Password(email).Want(200)
	return browser, browser.Code(code)
}

// state reads what the Security page says of 2-step verification.
func state(session *servertest.Client) string {
	mfa, _ := session.Do("GET", servertest.Security, nil).Want(200).Body["mfa"].(map[string]any)
	said, _ := mfa["state"].(string)
	return said
}

// stored is what the database holds of a person, as one line: on or off, apps, sets of codes, enrolments.
func stored(in *servertest.Installation, email string) string {
	of := func(query string) []string {
		return in.Column(query+" = (SELECT id FROM users WHERE email = ?)", email)
	}
	on := "off"
	if len(of("SELECT id FROM users WHERE mfa_since IS NOT NULL AND id")) == 1 {
		on = "on"
	}
	sets := of("SELECT state FROM backup_code_sets WHERE state <> 'retired' AND user_id")
	slices.Sort(sets)
	enrolments := of("SELECT CASE WHEN confirmed_at IS NULL THEN 'pending' ELSE 'confirmed' END FROM totp_enrolments WHERE user_id")
	return on + " apps:" + string('0'+rune(len(of("SELECT id FROM totp_apps WHERE user_id")))) +
		" sets:" + strings.Join(sets, ",") + " enrolments:" + strings.Join(enrolments, ",")
}

func wantStored(t *testing.T, in *servertest.Installation, email, want string) {
	t.Helper()
	if got := stored(in, email); got != want {
		t.Fatalf("the database holds %q, want %q", got, want)
	}
}

const (
	nothing = "off apps:0 sets: enrolments:"
	whole   = "on apps:1 sets:active enrolments:"
)

// rows are sub-tests that share one installation.
type rows []struct {
	name string
	run  func(t *testing.T, in *servertest.Installation)
}

func (r rows) onBoth(t *testing.T, options ...servertest.Options) {
	t.Helper()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		for _, row := range r {
			t.Run(row.name, func(t *testing.T) { row.run(t, in.For(t)) })
		}
	}, options...)
}
