package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

// TestNobodyIsAnAdministratorAnyMore is row 56 on every route of administrators: whose role was taken, or whose account
// was closed, a moment ago is refused by the next request though their session should live on, and the refusal is in
// the log.
func TestNobodyIsAnAdministratorAnyMore(t *testing.T) {
	t.Parallel()
	h := settle(t)
	boss := ada(t, h)
	for _, operation := range operations(t, h.Installation) {
		if !strings.Contains(operation.Access, "administrator") {
			continue
		}
		key := operation.Method + " " + operation.Path
		boss.Do("GET", "/api/v1/users", nil).Want(http.StatusOK)
		h.Change("UPDATE users SET role = 'member' WHERE email = 'ada@example.test'")
		before := rows(h.Installation)
		answer := boss.Do(operation.Method, at(operation, h.benID), bodies[key])
		if answer.Status != http.StatusForbidden || answer.Body["code"] != "not_permitted" {
			t.Errorf("%s of who is no administrator any more: %d %s", key, answer.Status, answer.Raw)
		}
		if after := rows(h.Installation); after != before {
			t.Errorf("%s changed something:\n%s\n%s", key, before, after)
		}
		if id := answer.Text("request_id"); !regexp.MustCompile(`"level":"INFO".*"status":403,"code":"not_permitted".*` + id).MatchString(h.First().Log.String()) {
			t.Errorf("%s: the refusal is not in the log", key)
		}
		h.Change("UPDATE users SET role = 'administrator', disabled_at = 1 WHERE email = 'ada@example.test'")
		if answer := boss.Do(operation.Method, at(operation, h.benID), bodies[key]); answer.Status != http.StatusUnauthorized {
			t.Errorf("%s of whose account is closed: %d %s", key, answer.Status, answer.Raw)
		}
		h.Change("UPDATE users SET disabled_at = NULL WHERE email = 'ada@example.test'")
	}
}

// TestEveryQueryIsData is row 76 for all that can be asked of any route, on both databases: it is looked for, or refused
// by name, and is never a part of a statement.
func TestEveryQueryIsData(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		enrolled := in.Protected("ada@example.test", "administrator")
		client := in.SignedIn("ada@example.test", enrolled, servertest.Firefox)
		var document struct {
			Paths map[string]map[string]struct {
				Parameters []struct{ Name, In string }
			}
		}
		if err := json.Unmarshal(client.Do("GET", "/api/openapi.json", nil).Want(http.StatusOK).Raw, &document); err != nil {
			t.Fatal(err)
		}
		before, asked := in.Column("SELECT email || role || requirement FROM users ORDER BY id"), 0
		for path, methods := range document.Paths {
			place := strings.ReplaceAll(path, "{id}", "me")
			for _, parameter := range methods["get"].Parameters {
				if parameter.In != "query" {
					continue
				}
				for _, text := range []string{
					"'", `"`, "\\", "?", "?0", "$1", "%", "';--", "' OR '1'='1", "1; DROP TABLE users", "x' UNION SELECT password_hash FROM users --",
					"id DESC", "u.password_hash", "pg_sleep(9)", "01JZZZZZZZZZZZZZZZZZZZZZZZ'", "ÿ", "-1", "9999999999999999999999",
				} {
					asked++
					answer := client.Do("GET", place+"?"+parameter.Name+"="+url.QueryEscape(text), nil)
					if !slices.Contains([]int{http.StatusOK, http.StatusBadRequest, http.StatusUnprocessableEntity}, answer.Status) {
						t.Errorf("%s, %s=%q: %d %s", path, parameter.Name, text, answer.Status, answer.Raw)
					}
				}
				answer := client.Do("GET", place+"?"+parameter.Name+"=a%00b", nil)
				if answer.Status != http.StatusBadRequest && answer.Status != http.StatusUnprocessableEntity {
					t.Errorf("%s, %s with a NUL: %d %s", path, parameter.Name, answer.Status, answer.Raw)
				}
			}
		}
		if after := in.Column("SELECT email || role || requirement FROM users ORDER BY id"); asked < 200 || !slices.Equal(after, before) {
			t.Errorf("after %d questions there are %v", asked, after)
		}
		if log := in.First().Log.String(); strings.Contains(log, `"level":"ERROR"`) {
			t.Errorf("something failed: %s", log)
		}
	})
}

// TestNoChangeWithoutItsEvent is row 72: where the event can't be written, what it records is not done.
func TestNoChangeWithoutItsEvent(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		enrolled := in.Protected("ada@example.test", "administrator")
		bens := in.Protected("ben@example.test", "member")
		client := in.SignedIn("ada@example.test", enrolled, servertest.Firefox)
		ben := in.SignedIn("ben@example.test", bens, servertest.Safari)
		id := in.Column("SELECT id FROM users WHERE email = 'ben@example.test'")[0]
		one := "/api/v1/users/" + id
		state := func() string {
			var text []string
			for _, query := range []string{
				"SELECT id || name || role || requirement || coalesce(CAST(disabled_at AS TEXT), '') || coalesce(CAST(reset_at AS TEXT), '') || password_hash FROM users ORDER BY id",
				"SELECT id || user_id FROM sessions ORDER BY id", "SELECT id || user_id FROM totp_apps ORDER BY id", "SELECT id FROM totp_enrolments ORDER BY id",
				"SELECT id FROM backup_code_sets ORDER BY id", "SELECT user_id FROM enrolment_links ORDER BY user_id", "SELECT user_id FROM invitations ORDER BY user_id",
			} {
				text = append(text, strings.Join(in.Column(query), " "))
			}
			return strings.Join(text, "\n")
		}
		before := state()
		in.Change("ALTER TABLE events RENAME TO away")
		for _, act := range []struct {
			by           *servertest.Client
			method, path string
			body         any
		}{
			{client, "POST", "/api/v1/users", map[string]string{"name": "Nia", "email": "nia@example.test", "role": "member"}},
			{client, "POST", "/api/v1/users/import", map[string]any{"people": []map[string]any{{"line": 2, "name": "Nia", "email": "nia@example.test"}}, "confirm": true}},
			{client, "PATCH", one, map[string]string{"name": "Benjamin"}},
			{client, "PATCH", one, map[string]string{"role": "administrator"}},
			{client, "PATCH", one, map[string]bool{"disabled": true}},
			{client, "PUT", one + "/security/requirement", map[string]string{"requirement": "required"}},
			{client, "POST", one + "/security/reset", map[string]string{"password": servertest.Password, "code": enrolled.Code(), "reason": "Lost the phone."}},
			{client, "DELETE", one + "/sessions", nil},
			{client, "DELETE", one, nil},
			{client, "GET", "/api/v1/audit/export", nil},
			{ben, "POST", servertest.Enrolments, map[string]string{"name": "Tablet"}},
			{ben, "POST", servertest.Security + "/disable", map[string]string{"password": servertest.Password}},
			{ben, "POST", servertest.Security + "/password", map[string]string{"password": servertest.Password, "new_password": "seven wild geese flew north"}},
			{ben, "DELETE", "/api/v1/session", nil},
		} {
			if answer := act.by.Do(act.method, act.path, act.body); answer.Status != http.StatusInternalServerError {
				t.Errorf("%s %s: %d %s", act.method, act.path, answer.Status, answer.Raw)
			}
			if after := state(); after != before {
				t.Fatalf("%s %s is done and on no record:\n%s\nwas\n%s", act.method, act.path, after, before)
			}
		}
		in.Change("ALTER TABLE away RENAME TO events")
		client.Do("PATCH", one, map[string]string{"name": "Benjamin"}).Want(http.StatusNoContent)
	})
}

// TestSmallActsAreOnRecord is row 71 for the acts that no other test reads the events of.
func TestSmallActsAreOnRecord(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		enrolled := in.Protected("ada@example.test", "administrator")
		client := in.SignedIn("ada@example.test", enrolled, servertest.Firefox)
		last := in.Column("SELECT max(id) FROM events")[0]
		invited := "/api/v1/users/" + client.Do("POST", "/api/v1/users", map[string]string{"name": "Nia", "email": "nia@example.test", "role": "member"}).
			Want(http.StatusCreated).Body["user"].(map[string]any)["id"].(string) + "/invitation"
		client.Do("POST", invited, nil).Want(http.StatusCreated)
		client.Do("DELETE", invited, nil).Want(http.StatusNoContent)
		begun := client.Do("POST", servertest.Enrolments, map[string]string{"name": "Tablet"}).Want(http.StatusCreated).Text("id")
		client.Do("DELETE", servertest.Enrolments+"/"+begun, nil).Want(http.StatusNoContent)
		client.Do("POST", servertest.Security+"/backup-codes", map[string]string{"password": servertest.Password}).Want(http.StatusOK)
		client.Do("DELETE", servertest.Security+"/backup-codes/waiting", nil).Want(http.StatusNoContent)
		leaving := in.Browser(servertest.Safari)
		leaving.Password("ada@example.test").Want(http.StatusOK)
		leaving.Do("DELETE", "/api/v1/sign-in", nil).Want(http.StatusNoContent)
		client.Do("POST", servertest.Security+"/disable", map[string]string{"password": servertest.Password}).Want(http.StatusOK)
		told := in.Column("SELECT kind || ' ' || result || ' ' || (CASE WHEN address <> '' AND request_id <> '' THEN 'from somewhere' ELSE '' END) FROM events WHERE id > ? ORDER BY id", last)
		for _, kind := range []string{
			"user.invited", "invitation.renewed", "invitation.withdrawn", "enrolment.started", "enrolment.given_up", "backup_codes.made", "backup_codes.given_up",
			"sign_in.abandoned", "mfa.disabled",
		} {
			if !slices.Contains(told, kind+" ok from somewhere") {
				t.Errorf("no %s in %q", kind, told)
			}
		}
		if confirmed := in.Column("SELECT id FROM events WHERE kind = 'enrolment.confirmed' AND result = 'ok'"); len(confirmed) != 1 {
			t.Errorf("%d enrolments confirmed", len(confirmed))
		}
	})
}

// TestEventsAreDocumented is row 71: every kind that can be written is in the catalogue, has words in the front end, and
// is looked for by a test; and the catalogue has no other.
func TestEventsAreDocumented(t *testing.T) {
	t.Parallel()
	source := read(t, "audit/audit.go")
	kinds := map[string]string{}
	for _, found := range regexp.MustCompile(`(?m)^\t(\w+) += "([a-z_]+\.[a-z_]+)"$`).FindAllStringSubmatch(source, -1) {
		kinds[found[2]] = found[1]
	}
	catalogue, _, _ := strings.Cut(read(t, "../docs/events.md"), "## Which of them are mailed")
	words := read(t, "../frontend/src/screens/history/sentence.ts")
	documented := map[string]bool{}
	for _, line := range strings.Split(catalogue, "\n") {
		cells := strings.SplitN(line, "|", 3)
		if len(cells) < 3 {
			continue
		}
		for _, kind := range regexp.MustCompile("`([a-z_]+\\.[a-z_]+)`").FindAllStringSubmatch(cells[1], -1) {
			documented[kind[1]] = true
			if kinds[kind[1]] == "" {
				t.Errorf("docs/events.md has %s, which is never written", kind[1])
			}
		}
	}
	var code, tests strings.Builder
	err := filepath.WalkDir(".", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".txtar") || path == filepath.Join("audit", "audit.go") {
			return err
		}
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".txtar") {
			tests.WriteString(read(t, path))
		} else {
			code.WriteString(read(t, path))
		}
		return nil
	})
	if err != nil || len(kinds) < 30 {
		t.Fatalf("%d kinds: %v", len(kinds), err)
	}
	for kind, name := range kinds {
		uses := regexp.MustCompile(`\b(audit\.)?` + name + `\b`)
		switch {
		case !documented[kind]:
			t.Errorf("%s is not in docs/events.md", kind)
		case !strings.Contains(words, "'"+kind+"'"):
			t.Errorf("%s has no words in frontend/src/screens/history/sentence.ts", kind)
		case !uses.MatchString(code.String()):
			t.Errorf("%s is never written", kind)
		case !strings.Contains(tests.String(), kind) && !strings.Contains(tests.String(), "audit."+name):
			t.Errorf("no test looks for %s", kind)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
