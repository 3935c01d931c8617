package server_test

import (
	"encoding/base64"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/servertest"
	"github.com/secondstep/secondstep/server/web"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// golden holds the text to the file in testdata, or writes the file with -update.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) == text {
		return
	}
	before, now := strings.Split(string(kept), "\n"), strings.Split(text, "\n")
	for n := range min(len(before), len(now)) {
		if before[n] != now[n] {
			t.Fatalf("%s differs in line %d (write it anew with -update, and look at the change):\n-%s\n+%s", path, n+1, before[n], now[n])
		}
	}
	t.Fatalf("%s has %d lines, and now there are %d (write it anew with -update, and look at the change)", path, len(before), len(now))
}

// operations are all that the installation serves.
func operations(t *testing.T, in *servertest.Installation) []web.Operation {
	t.Helper()
	api, err := in.First().API(server.Face{PublicURL: &url.URL{Scheme: "http", Host: "localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	return api.Operations()
}

// unknown is an id that nothing has.
const unknown = "01JZZZZZZZZZZZZZZZZZZZZZZZ"

// at is the operation's address for somebody.
func at(operation web.Operation, who string) string {
	return strings.NewReplacer("{id}", who, "{enrolment}", unknown, "{factor}", unknown, "{session}", unknown, "{registration}", unknown, "{roll_out}", unknown, "{sentence}", unknown).Replace(operation.Path)
}

// bodies are what each operation is sent: well-formed, and refused late or changing nothing, so that what is seen is
// who may call, and one cell of the matrix leaves the next as it was.
var bodies = map[string]any{
	"POST /api/v1/setup":                                                   map[string]string{"token": "x", "name": "Eve", "email": "eve@example.test", "password": servertest.Password},
	"POST /api/v1/sign-in":                                                 map[string]string{"email": "plain@example.test", "password": servertest.Password},
	"POST /api/v1/sign-in/totp":                                            map[string]string{"code": "x"},
	"POST /api/v1/sign-in/code-check":                                      map[string]string{"code": "x"},
	"POST /api/v1/sign-in/backup-code":                                     map[string]string{"code": "x"},
	"POST /api/v1/sign-in/webauthn":                                        map[string]any{"credential": map[string]string{}},
	"POST /api/v1/sign-in/webauthn/options":                                nil,
	"POST /api/v1/session/proof/options":                                   nil,
	"POST /api/v1/users/{id}/security/security-keys":                       nil,
	"POST /api/v1/users/{id}/security/security-keys/{registration}":        map[string]any{"name": "", "credential": map[string]string{}},
	"POST /api/v1/session/proof":                                           map[string]string{"password": servertest.Password},
	"POST /api/v1/session/code-check":                                      map[string]string{"code": "x"},
	"POST /api/v1/users/{id}/security/enrolments":                          map[string]string{"name": "iPhone", "replaces": "nothing"},
	"POST /api/v1/users/{id}/security/enrolments/{enrolment}/confirm":      map[string]string{"code": "123456"},
	"POST /api/v1/users/{id}/security/disable":                             map[string]string{"password": "not the password"},
	"POST /api/v1/users/{id}/security/backup-codes":                        map[string]string{"password": "not the password"},
	"PUT /api/v1/users/{id}/security/requirement":                          map[string]string{"requirement": "allowed"},
	"POST /api/v1/users/{id}/security/enrolments/{enrolment}/activate":     nil,
	"POST /api/v1/users/{id}/security/enrolments/{enrolment}/backup-codes": nil,
	"POST /api/v1/users/{id}/security/backup-codes/activate":               nil,
	"POST /api/v1/users":                                                   map[string]string{"name": "", "email": "x", "role": "member"},
	"POST /api/v1/users/import":                                            map[string]any{"people": []map[string]any{{"line": 2, "name": "", "email": "x"}}, "confirm": true},
	"POST /api/v1/users/requirement":                                       map[string]any{"filter": map[string]any{}, "requirement": "allowed", "seen": 0},
	"POST /api/v1/users/requirement/look":                                  map[string]any{"filter": map[string]any{}, "requirement": "allowed"},
	"POST /api/v1/protection/reminders":                                    nil,
	"POST /api/v1/users/{id}/security/reminder":                            nil,
	"POST /api/v1/roll-outs/{roll_out}/stop":                               nil,
	"PATCH /api/v1/settings":                                               map[string]any{"brand": " "},
	"POST /api/v1/settings/key-kept-elsewhere":                             map[string]any{"key": 7},
	"POST /api/v1/mail/test":                                               map[string]any{"address": "x"},
	"POST /api/v1/users/{id}/invitation":                                   nil,
	"POST /api/v1/forgotten-password":                                      map[string]string{"email": "plain@example.test"},
	"POST /api/v1/forgotten-password/link":                                 map[string]string{"token": "x"},
	"POST /api/v1/forgotten-password/password":                             map[string]string{"token": "x", "password": servertest.Password},
	"POST /api/v1/join":                                                    map[string]string{"token": "x", "password": servertest.Password},
	"POST /api/v1/join/invitation":                                         map[string]string{"token": "x"},
	"POST /api/v1/users/{id}/email":                                        map[string]string{"email": "x"},
	"POST /api/v1/users/{id}/email/confirm":                                map[string]string{"token": "x"},
	"POST /api/v1/stop":                                                    map[string]string{"token": "x"},
	"POST /api/v1/stop/link":                                               map[string]string{"token": "x"},
	"PATCH /api/v1/users/{id}":                                             map[string]string{"name": ""},
	"PATCH /api/v1/users/{id}/security/factors/{factor}":                   map[string]string{"name": "iPhone"},
	"POST /api/v1/users/{id}/security/not-me":                              map[string]string{"event": unknown},
	"POST /api/v1/users/{id}/security/events/{event}/known":                nil,
	"PATCH /api/v1/users/{id}/security/not-me":                             map[string]string{"done": "apps"},
	"POST /api/v1/tickets":                                                 map[string]any{"subject": "", "lines": []string{}},
	"POST /api/v1/tickets/mine/read":                                       map[string]any{"reference": "", "key": "x"},
	"POST /api/v1/tickets/mine/prove":                                      map[string]any{"reference": "", "key": "x"},
	"POST /api/v1/tickets/mine/discard":                                    map[string]any{"reference": "", "key": "x"},
	"POST /api/v1/tickets/mine/reply":                                      map[string]any{"reference": "", "key": "x", "lines": []string{"x"}},
	"POST /api/v1/tickets/mine/solve":                                      map[string]any{"reference": "", "key": "x"},
	"POST /api/v1/tickets/{id}/reply":                                      map[string]any{"lines": []string{"x"}},
	"POST /api/v1/tickets/{id}/solve":                                      nil,
	"POST /api/v1/tickets/{id}/reopen":                                     nil,
	"PATCH /api/v1/help/sentences/{sentence}":                              map[string]any{"done": true},
	"POST /api/v1/sign-in/enrolment-link":                                  map[string]string{"token": "x"},
	"POST /api/v1/sign-in/recovery":                                        map[string]any{"no_backup_codes": true, "no_other_browser": false},
	"POST /api/v1/sign-in/recovery/proof":                                  map[string]string{"token": "x"},
	"POST /api/v1/users/{id}/security/recovery/stop":                       nil,
	"POST /api/v1/users/{id}/security/recovery/confirm":                    map[string]string{"password": "not the password"},
	"POST /api/v1/tickets/{id}/decision":                                   map[string]any{"approve": false, "checked": []string{}, "reason": ""},
	"POST /api/v1/tickets/{id}/link":                                       nil,
	"POST /api/v1/users/{id}/security/reset":                               map[string]string{"password": "not the password", "code": "123456", "reason": "Lost the phone."},
	"POST /api/v1/users/{id}/security/unlock":                              nil,
	"POST /api/v1/users/{id}/security/password":                            map[string]string{"password": "not the password", "new_password": "not the password"},
}

// caller is a column of the matrix.
type caller struct {
	name string
	open func(t *testing.T, house *house) *servertest.Client
	// What is so about them, for the rule that the matrix is held to beside the golden file.
	session, pending, confined, administrator, stale, backupCode, ended, elsewhere bool
}

// house is an installation with somebody of each kind.
type house struct {
	*servertest.Installation
	ada, ben *servertest.Enrolled // an administrator and a member with 2-step verification
	benID    string
	eveID    string // a member without
}

func settle(t *testing.T) *house {
	in := servertest.OnSQLite(t)
	h := &house{Installation: in}
	h.ada, h.ben = in.Protected("ada@example.test", "administrator"), in.Protected("ben@example.test", "member")
	h.eveID = in.AddPerson("Eve", "plain@example.test", "member")
	in.AddPerson("Finn", "confined@example.test", "member")
	in.Change("UPDATE users SET requirement = 'required' WHERE email = 'confined@example.test'")
	h.benID = in.Column("SELECT id FROM users WHERE email = 'ben@example.test'")[0]
	return h
}

// clear takes away what a cell may have begun.
func (h *house) clear() {
	h.Change("DELETE FROM totp_enrolments")
	h.Change("UPDATE backup_codes SET used_at = NULL")
}

func ada(_ *testing.T, h *house) *servertest.Client {
	return h.SignedIn("ada@example.test", h.ada, servertest.Firefox)
}

func ben(_ *testing.T, h *house) *servertest.Client {
	return h.SignedIn("ben@example.test", h.ben, servertest.Firefox)
}

// later is the caller after the fresh proof has run out.
func later(open func(*testing.T, *house) *servertest.Client) func(*testing.T, *house) *servertest.Client {
	return func(t *testing.T, h *house) *servertest.Client {
		client := open(t, h)
		h.Clock.Advance(11 * time.Minute)
		return client
	}
}

var callers = []caller{
	{name: "nobody", open: func(_ *testing.T, h *house) *servertest.Client { return h.Browser(servertest.Firefox) }},
	{name: "an ended session", session: true, ended: true, open: func(_ *testing.T, h *house) *servertest.Client {
		client := h.Browser(servertest.Firefox)
		client.Password("plain@example.test").Want(http.StatusOK)
		token := client.Cookie("secondstep_session")
		client.Do("DELETE", "/api/v1/session", nil).Want(http.StatusNoContent)
		client.Plant("secondstep_session", token)
		return client
	}},
	{name: "pending", pending: true, open: func(_ *testing.T, h *house) *servertest.Client {
		client := h.Browser(servertest.Firefox)
		client.Password("ben@example.test").Want(http.StatusOK)
		return client
	}},
	{name: "confined", session: true, confined: true, open: func(t *testing.T, h *house) *servertest.Client {
		client := h.Browser(servertest.Firefox)
		if state := client.Password("confined@example.test").Want(http.StatusOK).Text("state"); state != "enrolment_required" {
			t.Fatalf("%s", state)
		}
		return client
	}},
	{name: "member", session: true, open: ben},
	{name: "member, no fresh proof", session: true, stale: true, open: later(ben)},
	{name: "member, at another", session: true, elsewhere: true, open: ben},
	{name: "administrator", session: true, administrator: true, open: ada},
	{name: "administrator, no fresh proof", session: true, administrator: true, stale: true, open: later(ada)},
	{name: "administrator, by backup code", session: true, administrator: true, backupCode: true, open: func(_ *testing.T, h *house) *servertest.Client {
		client := h.Browser(servertest.Firefox)
		client.Password("ada@example.test").Want(http.StatusOK)
		client.Code(h.ada.Codes[3]).Want(http.StatusOK)
		return client
	}},
	{name: "administrator, at another", session: true, administrator: true, elsewhere: true, open: ada},
}

// refusal is what the gate must answer the caller: the code, or empty where it must let them through. It is said here
// a second time, so that -update alone can't bless a hole.
func (c caller) refusal(access string) string {
	switch access {
	case "public", "visitor":
		return ""
	case "pending":
		if c.pending {
			return ""
		}
		return "not_signed_in"
	}
	switch {
	case !c.session:
		return "not_signed_in"
	case c.ended:
		return "session_ended"
	case c.confined && access != "enrolling" && access != "fresh_enrolling":
		return "enrolment_required"
	case strings.Contains(access, "administrator") && !c.administrator:
		return "not_permitted"
	case strings.HasPrefix(access, "fresh") && c.stale:
		return "fresh_proof_required"
	case (access == "fresh_by_app" || access == "fresh_administrator") && c.backupCode:
		return "app_code_required"
	}
	return ""
}

var refusals = map[string]bool{
	"not_signed_in": true, "session_ended": true, "enrolment_required": true, "fresh_proof_required": true, "app_code_required": true,
}

// TestMatrixOfAccess is row 2 of security.md: every operation, for everybody there is.
func TestMatrixOfAccess(t *testing.T) {
	h := settle(t)
	var table strings.Builder
	for _, operation := range operations(t, h.Installation) {
		key := operation.Method + " " + operation.Path
		body, known := bodies[key]
		if !known && operation.Method != "GET" && operation.Method != "DELETE" {
			t.Fatalf("say what to send to %s", key)
		}
		fmt.Fprintf(&table, "%s [%s]\n", key, operation.Access)
		for _, who := range callers {
			if who.elsewhere && !strings.Contains(operation.Path, "{id}") {
				continue
			}
			h.clear()
			path := at(operation, "me")
			if who.elsewhere {
				path = at(operation, h.eveID)
				if key == "DELETE /api/v1/users/{id}" {
					path = at(operation, h.AddPerson("Gone", fmt.Sprintf("gone%d@example.test", table.Len()), "member")) // or the next cell would miss Eve
				}
			}
			answer := who.open(t, h).Do(operation.Method, path, body)
			code, _ := answer.Body["code"].(string)
			fmt.Fprintf(&table, "  %-30s %d %s\n", who.name, answer.Status, code)

			want := who.refusal(operation.Access)
			if want != "" && code != want || want == "" && refusals[code] {
				t.Errorf("%s for %s: %d %s, want %q", key, who.name, answer.Status, code, want)
			}
			if who.elsewhere && !who.administrator && code != "not_permitted" {
				t.Errorf("%s: a member reached somebody else: %d %s", key, answer.Status, code)
			}
			if answer.Status >= http.StatusInternalServerError {
				t.Errorf("%s for %s: %s", key, who.name, answer.Raw)
			}
		}
	}
	golden(t, "access.golden", strings.ReplaceAll(table.String(), " \n", "\n"))
}

// TestPendingIsNoVisitor: where anybody may call, and who is signed in is told, a pending sign-in and a session confined
// to enrolment are nobody (rows 1 and 39).
func TestPendingIsNoVisitor(t *testing.T) {
	h := settle(t)
	for name, email := range map[string]string{"pending": "ben@example.test", "confined": "confined@example.test"} {
		client := h.Browser(servertest.Firefox)
		client.Password(email).Want(http.StatusOK)
		if pending := client.Cookie("secondstep_pending"); pending != "" {
			client.Plant("secondstep_session", pending)
		}
		answer := client.Do("POST", "/api/v1/tickets", map[string]any{"subject": "Mine", "lines": []string{"x"}}).Refused(422, "invalid_input")
		if !strings.Contains(string(answer.Raw), `"email"`) {
			t.Errorf("%s: it is known who they are: %s", name, answer.Raw)
		}
	}
}

// TestPendingIsNoOtherCredential is row 1: what the right password gave opens nothing but the second step, whichever
// way it is carried.
func TestPendingIsNoOtherCredential(t *testing.T) {
	h := settle(t)
	client := h.Browser(servertest.Firefox)
	client.Password("ben@example.test").Want(http.StatusOK)
	pending := client.Cookie("secondstep_pending")
	if pending == "" {
		t.Fatal("no pending sign-in")
	}
	named := func(scheme, user string) string {
		return scheme + " " + base64.StdEncoding.EncodeToString([]byte(user+":"+pending))
	}
	ways := map[string]func(c *servertest.Client, path string) string{
		"session cookie": func(c *servertest.Client, path string) string { c.Plant("secondstep_session", pending); return path },
		"host cookie": func(c *servertest.Client, path string) string {
			c.Plant("__Host-secondstep_session", pending)
			return path
		},
		"Bearer": func(c *servertest.Client, path string) string {
			c.Header.Set("Authorization", "Bearer "+pending)
			return path
		},
		"Basic": func(c *servertest.Client, path string) string {
			c.Header.Set("Authorization", named("Basic", ""))
			return path
		},
		"Basic, by name": func(c *servertest.Client, path string) string {
			c.Header.Set("Authorization", named("Basic", "ben@example.test"))
			return path
		},
		"query": func(_ *servertest.Client, path string) string {
			return path + "?secondstep_session=" + pending + "&token=" + pending
		},
		"header": func(c *servertest.Client, path string) string {
			c.Header.Set("Secondstep-Session", pending)
			return path
		},
	}
	for _, operation := range operations(t, h.Installation) {
		if operation.Access == "public" || operation.Access == "visitor" { // of the latter, TestPendingIsNoVisitor
			continue
		}
		for way, carry := range ways {
			other := h.Browser(servertest.Firefox)
			path := carry(other, at(operation, "me"))
			answer := other.Do(operation.Method, path, bodies[operation.Method+" "+operation.Path])
			if answer.Status != http.StatusUnauthorized {
				t.Errorf("%s %s with the pending value as %s: %d", operation.Method, operation.Path, way, answer.Status)
			}
			if len(answer.Header["Set-Cookie"]) > 0 {
				t.Errorf("%s %s with the pending value as %s gave a cookie", operation.Method, operation.Path, way)
			}
		}
	}
	client.Code(h.ben.Code()).Want(http.StatusOK) // it was alive all the time
}

// TestNoCookieIsAnother holds each cookie's value to its own name.
func TestNoCookieIsAnother(t *testing.T) {
	h := settle(t)
	client := h.SignedIn("ben@example.test", h.ben, servertest.Firefox)
	session, known := client.Cookie("secondstep_session"), client.Cookie("secondstep_browser")
	if session == "" || known == "" {
		t.Fatal("no cookies")
	}
	other := h.Browser(servertest.Firefox)
	other.Plant("secondstep_session", known)
	other.Do("GET", "/api/v1/session", nil).Refused(http.StatusUnauthorized, "session_ended")
	for _, value := range []string{session, known} {
		other.Plant("secondstep_pending", value)
		other.Do("GET", "/api/v1/sign-in", nil).Diagnosed("sign_in_expired")
		other.Code(h.ben.Code()).Diagnosed("sign_in_expired")
	}
	client.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
}
