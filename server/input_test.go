package server_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
	"github.com/secondstep/secondstep/server/web"
)

// entitled is a browser that may call the operation.
func (h *house) entitled(t *testing.T, access string) *servertest.Client {
	if access == "pending" {
		client := h.Browser(servertest.Firefox)
		client.Password("ben@example.test").Want(http.StatusOK)
		return client
	}
	return ada(t, h)
}

// TestStrictInput is row 75: what an operation does not know is refused, on every operation that takes a body.
func TestStrictInput(t *testing.T) {
	h := settle(t)
	for _, operation := range operations(t, h.Installation) {
		var body map[string]any
		switch known := bodies[operation.Method+" "+operation.Path].(type) {
		case nil:
			continue
		case map[string]any:
			body = known
		case map[string]string:
			body = map[string]any{}
			for key, value := range known {
				body[key] = value
			}
		default:
			t.Fatalf("%s %s is sent a %T", operation.Method, operation.Path, known)
		}
		client := h.entitled(t, operation.Access)
		path := at(operation, "me")
		send := func(status int, code, what, body string) {
			t.Helper()
			answer := client.Do(operation.Method, path, body)
			if answer.Status != status || answer.Body["code"] != code {
				t.Errorf("%s %s with %s: %d %s", operation.Method, operation.Path, what, answer.Status, answer.Raw)
			}
		}
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		open := strings.TrimSuffix(string(text), "}")
		for _, privileged := range []string{`"is_admin":true`, `"role":"administrator"`, `"mfa_required":false`, `"user_id":"x"`, `"secret":"JBSWY3DPEHPK3PXP"`, `"":1`, `"__proto__":{}`} {
			if known := operation.Path == "/api/v1/users" || operation.Method == "PATCH" && operation.Path == "/api/v1/users/{id}"; known && strings.HasPrefix(privileged, `"role"`) {
				continue // package people has a test of who may give which role
			}
			send(http.StatusBadRequest, "unknown_field", privileged, open+","+privileged+"}")
		}
		for key, some := range body {
			value, ok := some.(string)
			if !ok { // the other sorts of members are the rooms' own tests'
				continue
			}
			member := fmt.Sprintf("%q:%q", key, value)
			send(http.StatusBadRequest, "malformed_body", key+" twice", open+","+member+"}")
			send(http.StatusBadRequest, "malformed_body", key+" twice, escaped", open+fmt.Sprintf(`,"\u%04x%s":"x"}`, key[0], key[1:]))
			send(http.StatusBadRequest, "unknown_field", key+" in capitals", open+fmt.Sprintf(",%q:%q}", strings.ToUpper(key), value))
			for _, wrong := range []string{`["` + value + `"]`, `{"x":1}`, "1", "true"} {
				other := strings.Replace(string(text), member, fmt.Sprintf("%q:%s", key, wrong), 1)
				send(http.StatusBadRequest, "malformed_body", key+" as "+wrong, other)
			}
			for _, control := range []string{`\u0000`, `\n`, `\u001b`, "\u0085"} {
				other := strings.Replace(string(text), member, fmt.Sprintf(`%q:"a%sb"`, key, control), 1)
				send(http.StatusUnprocessableEntity, "invalid_input", key+" with "+control, other)
			}
		}
		send(http.StatusBadRequest, "malformed_body", "more behind it", string(text)+"{}")
		send(http.StatusBadRequest, "malformed_body", "an array", "["+string(text)+"]")
		send(http.StatusBadRequest, "malformed_body", "half of it", open)
		send(http.StatusBadRequest, "malformed_body", "no UTF-8", open+",\"\xff\":1}")
		send(http.StatusRequestEntityTooLarge, "body_too_large", "5 MB", open+`,"x":"`+strings.Repeat("x", 5<<20)+`"}`)
		for _, media := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
			client.Header.Set("Content-Type", media)
			send(http.StatusUnsupportedMediaType, "json_only", media, string(text))
			send(http.StatusUnsupportedMediaType, "json_only", media+" with an index", "a.18446744073704=x&a[-1]=x")
		}
	}
}

// TestOtherSites is row 67: nothing can be changed from another site, and nothing at all by GET.
func TestOtherSites(t *testing.T) {
	h := settle(t)
	all := operations(t, h.Installation)
	reading := map[string]bool{}
	for _, operation := range all {
		reading[operation.Path] = reading[operation.Path] || operation.Method == http.MethodGet
	}
	for _, operation := range all {
		if operation.Method == http.MethodGet {
			continue
		}
		client := h.entitled(t, operation.Access)
		body := bodies[operation.Method+" "+operation.Path]
		before := rows(h.Installation)
		for _, headers := range []map[string]string{
			{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"},
			{"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
		} {
			for name, value := range headers {
				client.Header.Set(name, value)
			}
			client.Do(operation.Method, at(operation, "me"), body).Refused(http.StatusForbidden, "cross_site")
			for name := range headers {
				client.Header.Del(name)
			}
		}
		if operation.Path == "/api/v1/users/import" || operation.Path == "/api/v1/users/requirement" { // by GET, somebody whose id that would be
			client.Do("GET", operation.Path, nil).Refused(http.StatusNotFound, "no_user")
		} else if !reading[operation.Path] {
			answer := client.Do("GET", at(operation, "me"), nil).Refused(http.StatusMethodNotAllowed, "method_not_allowed")
			if allowed := answer.Header.Get("Allow"); !strings.Contains(allowed, operation.Method) {
				t.Errorf("%s allows %q", operation.Path, allowed)
			}
		}
		if after := rows(h.Installation); after != before {
			t.Errorf("%s %s from elsewhere changed something:\n%s\n%s", operation.Method, operation.Path, before, after)
		}
	}
}

// rows counts what is in the tables that calls change.
func rows(in *servertest.Installation) string {
	var text strings.Builder
	for _, table := range []string{"users", "sessions", "pending_sign_ins", "totp_enrolments", "backup_code_sets", "password_tries", "second_step_tries", "events"} {
		fmt.Fprintf(&text, "%s %d, ", table, len(in.Column("SELECT 1 FROM "+table)))
	}
	return text.String()
}

// TestHeadersOfEveryCall is rows 68 to 70, behind a proxy that ends TLS: every answer has them, errors too, and no other
// origin may read any.
func TestHeadersOfEveryCall(t *testing.T) {
	in := servertest.OnSQLite(t, servertest.Options{PublicURL: "https://id.example.test"})
	client := in.Browser(servertest.Firefox)
	client.Header.Set("Origin", "https://evil.example")
	client.Header.Set("X-Forwarded-Proto", "http")
	want := map[string]string{
		"Strict-Transport-Security": "max-age=31536000", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store", "Secondstep-Version": "test",
	}
	calls := append(operations(t, in), web.Operation{Method: "GET", Path: "/"}, web.Operation{Method: "GET", Path: "/sign-in"},
		web.Operation{Method: "GET", Path: "/assets/nowhere.js"}, web.Operation{Method: "GET", Path: "/api/nowhere"},
		web.Operation{Method: "POST", Path: "/"}, web.Operation{Method: "BREW", Path: "/api/v1/session"}, web.Operation{Method: "GET", Path: "/%zz"})
	for _, operation := range calls {
		for _, method := range []string{operation.Method, http.MethodOptions, http.MethodHead} {
			answer, err := client.Try(method, at(operation, "me"), nil)
			if err != nil && strings.Contains(operation.Path, "%zz") {
				continue // the client itself refuses to send it
			}
			if err != nil {
				t.Fatal(err)
			}
			for header, value := range want {
				if answer.Header.Get(header) != value {
					t.Errorf("%s %s: %d with %s %q", method, operation.Path, answer.Status, header, answer.Header.Get(header))
				}
			}
			policy := answer.Header.Get("Content-Security-Policy")
			for _, directive := range []string{"default-src 'none'", "script-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"} {
				if !strings.Contains(policy+";", directive+";") {
					t.Errorf("%s %s: the policy lacks %s: %s", method, operation.Path, directive, policy)
				}
			}
			if strings.Contains(policy, "unsafe") {
				t.Errorf("%s %s: %s", method, operation.Path, policy)
			}
			for header := range answer.Header {
				if strings.HasPrefix(header, "Access-Control-") || header == "Server" || header == "X-Powered-By" {
					t.Errorf("%s %s: %s", method, operation.Path, header)
				}
			}
		}
	}
}

// TestListInput is row 76: whatever is sent to the list of people is data, on both databases.
func TestListInput(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		enrolled := in.Protected("ada@example.test", "administrator")
		for n := range 4 {
			in.AddPerson(fmt.Sprintf("Person %d", n), fmt.Sprintf("person%d@example.test", n), "member")
		}
		client := in.SignedIn("ada@example.test", enrolled, servertest.Firefox)
		before := rows(in)
		list := func(name, value string, statuses ...int) {
			t.Helper()
			answer := client.Do("GET", "/api/v1/users?"+url.QueryEscape(name)+"="+url.QueryEscape(value), nil)
			if !slices.Contains(statuses, answer.Status) {
				t.Errorf("%s=%q: %d %s", name, value, answer.Status, answer.Raw)
			}
			if text := string(answer.Raw); strings.Contains(text, "argon2id") || strings.Contains(strings.ToLower(text), "syntax") || strings.Contains(text, "SQL") {
				t.Errorf("%s=%q: %s", name, value, text)
			}
		}
		injections := []string{
			"'", "''", `"`, "`", "?", "$1", ":x", "%", "_", `\`, "';--", "' OR 1=1 --", "') OR ('1'='1", "1; DROP TABLE users", "ada' UNION SELECT password_hash FROM users --",
			"(SELECT password_hash FROM users LIMIT 1)", "name; DELETE FROM users", "u.password_hash", "password_hash", "name,id", "name DESC", "-name", "NAME", "email ", "?0", "?TableName",
			"CASE WHEN 1=1 THEN 1 ELSE 1/0 END", "pg_sleep(9)", "randomblob(1e9)", "ÿ", "𝒜da", "İ", "ß", strings.Repeat("a ", 90), strings.Repeat("é", 200), "\u202e", "a\u0301",
		}
		for _, text := range injections {
			list("query", text, http.StatusOK)
			for _, name := range []string{"sort", "role", "protection", "limit"} {
				list(name, text, http.StatusUnprocessableEntity)
			}
			list("cursor", text, http.StatusBadRequest)
			list(text, "x", http.StatusBadRequest)
			for _, key := range []string{text, "\xff\xfe", "\xff", "", strings.Repeat("\xff", 300)} {
				forged := base64.RawURLEncoding.EncodeToString([]byte(unknown + "\n" + key))
				list("cursor", forged, http.StatusOK, http.StatusBadRequest)
				answer := client.Do("GET", "/api/v1/users?sort=email&cursor="+forged, nil)
				if answer.Status != http.StatusOK && answer.Status != http.StatusBadRequest && answer.Status != http.StatusUnprocessableEntity {
					t.Errorf("sort=email, cursor of %q: %d %s", key, answer.Status, answer.Raw)
				}
			}
			list("cursor", base64.RawURLEncoding.EncodeToString([]byte(text)), http.StatusBadRequest)
		}
		for _, name := range []string{"query", "sort", "cursor", "role", "protection", "limit"} {
			for _, control := range []string{"\x00", "a\x00b", "a\nb", "\x1b[31m", "\u0085"} {
				list(name, control, http.StatusUnprocessableEntity)
			}
			list(name, "\xff", http.StatusBadRequest)
			client.Do("GET", "/api/v1/users?"+name+"=name&"+name+"=email", nil).Refused(http.StatusBadRequest, "malformed_request")
		}
		for _, limit := range []string{"0", "-1", "101", "1e2", "9999999999999999999999", "0x10", " 1"} {
			if answer := client.Do("GET", "/api/v1/users?limit="+url.QueryEscape(limit), nil); answer.Status != http.StatusUnprocessableEntity {
				t.Errorf("limit=%q: %d %s", limit, answer.Status, answer.Raw)
			}
		}
		for _, id := range []string{"'", "%27%20OR%201=1", "..%2f..", "me%00", "ME", strings.Repeat("x", 41)} {
			if answer := client.Do("GET", "/api/v1/users/"+id, nil); answer.Status < 400 || answer.Status >= 500 {
				t.Errorf("id %s: %d %s", id, answer.Status, answer.Raw)
			}
		}
		if after := rows(in); after != before {
			t.Errorf("reading changed something:\n%s\n%s", before, after)
		}
		if log := in.First().Log.String(); strings.Contains(log, `"level":"ERROR"`) {
			t.Errorf("something failed: %s", log)
		}
	})
}
