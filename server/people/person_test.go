package people_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

type body = map[string]any

const usersPath = "/api/v1/users"

func path(id string) string { return usersPath + "/" + id }

// administrator is one with 2-step verification and fresh proof, signed in.
func administrator(in *servertest.Installation, name string) (id string, browser *servertest.Client) {
	email := name + "@example.test"
	app := in.Protected(email, "administrator")
	return in.Column("SELECT id FROM users WHERE email = ?", email)[0], in.SignedIn(email, app, servertest.Firefox)
}

// member is somebody without 2-step verification, signed in.
func member(in *servertest.Installation, name string) (id string, browser *servertest.Client) {
	id = in.AddPerson("Eve", name+"@example.test", "member")
	browser = in.Browser(servertest.Safari)
	browser.Password(name + "@example.test").Want(200)
	return id, browser
}

// token is that of the link in an answer.
func token(t *testing.T, answer *servertest.Answer) string {
	t.Helper()
	link, err := url.Parse(answer.Text("invitation_link"))
	if err != nil {
		t.Fatal(err)
	}
	found, ok := strings.CutPrefix(link.Fragment, "token=")
	if link.Path != "/join" || !ok || len(found) != 43 {
		t.Fatalf("%s is no invitation", link)
	}
	return found
}

// invite invites somebody and answers their id and the token of the link.
func invite(t *testing.T, boss *servertest.Client, name string, more ...body) (id, link string) {
	t.Helper()
	person := body{"name": "Nia New", "email": name + "@example.test", "role": "member"}
	for _, facts := range more {
		for key, value := range facts {
			person[key] = value
		}
	}
	made := boss.Do("POST", usersPath, person).Want(201)
	user, _ := made.Body["user"].(map[string]any)
	id, _ = user["id"].(string)
	return id, token(t, made)
}

func join(browser *servertest.Client, link string) *servertest.Answer {
	return browser.Do("POST", "/api/v1/join", body{"token": link, "password": servertest.Password})
}

// wantEvents holds the events about somebody, of these kinds, to the list; data stands behind the kind.
func wantEvents(t *testing.T, in *servertest.Installation, about string, want ...string) {
	t.Helper()
	got := in.Column(`SELECT kind || COALESCE(' ' || data, '') FROM events WHERE subject_id = ? AND result = 'ok'
		AND (kind LIKE 'user.%' OR kind LIKE 'role.%' OR kind LIKE 'invitation.%' OR kind = 'requirement.set' OR kind = 'name.changed')`, about)
	// Ids of one moment, made by two instances, are in no order.
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
}
