package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/web"
)

type cookiesOutput struct {
	SetCookie []http.Cookie
}

func TestCookies(t *testing.T) {
	for public, prefix := range map[string]string{"https://id.example.org": "__Host-", publicURL: ""} {
		t.Run(public, func(t *testing.T) {
			h := serve(t, func(o *web.Options) { o.PublicURL, _ = url.Parse(public) }, func(api *web.API) {
				web.Register(api, web.Public, op("POST", "/api/v1/sign-in"), func(context.Context, web.Caller, *empty) (*cookiesOutput, error) {
					return &cookiesOutput{SetCookie: []http.Cookie{api.SessionCookie(tokenOf("member")), api.PendingCookie(tokenOf("owes")), api.BrowserCookie(tokenOf("b"))}}, nil
				})
				web.Register(api, web.Public, op("DELETE", "/api/v1/sign-in"), func(context.Context, web.Caller, *empty) (*cookiesOutput, error) {
					return &cookiesOutput{SetCookie: []http.Cookie{api.ClearSession(), api.ClearPending()}}, nil
				})
				web.Register(api, web.SignedIn, op("GET", "/api/v1/session"), sayHello)
			})
			secure := ""
			if prefix != "" {
				secure = "; Secure"
			}
			want := []string{
				prefix + "secondstep_session=" + cookieOf("member") + "; Path=/; HttpOnly" + secure + "; SameSite=Lax",
				prefix + "secondstep_pending=" + cookieOf("owes") + "; Path=/; HttpOnly" + secure + "; SameSite=Strict",
				prefix + "secondstep_browser=" + cookieOf("b") + "; Path=/; Max-Age=34560000; HttpOnly" + secure + "; SameSite=Lax",
			}
			sameSet(t, h.call("POST", "/api/v1/sign-in", "").header["Set-Cookie"], want)
			sameSet(t, h.call("DELETE", "/api/v1/sign-in", "").header["Set-Cookie"], []string{
				prefix + "secondstep_session=; Path=/; Max-Age=0; HttpOnly" + secure + "; SameSite=Lax",
				prefix + "secondstep_pending=; Path=/; Max-Age=0; HttpOnly" + secure + "; SameSite=Strict",
			})
			if got := h.call("GET", "/api/v1/session", "", "Cookie", prefix+"secondstep_session="+cookieOf("member")); got.status != 200 {
				t.Errorf("the session's cookie got %d", got.status)
			}
			other := map[string]string{"": "__Host-", "__Host-": ""}[prefix]
			if got := h.call("GET", "/api/v1/session", "", "Cookie", other+"secondstep_session="+cookieOf("member")); got.status != 401 {
				t.Errorf("a cookie of the other name got %d", got.status)
			}
			if log := h.log.String(); strings.Contains(log, cookieOf("member")) || strings.Contains(log, cookieOf("owes")) {
				t.Error("a token is in the log")
			}
		})
	}
}

func sameSet(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %q, wanted %q", got, want)
	}
	for _, w := range want {
		found := false
		for _, g := range got {
			found = found || g == w
		}
		if !found {
			t.Errorf("%q is not in %q", w, got)
		}
	}
}

func faultyHouse(t *testing.T, change func(*web.Options)) *house {
	return serve(t, change, func(api *web.API) {
		fail := func(path string, err error) {
			web.Register(api, web.Public, op("POST", path), func(context.Context, web.Caller, *empty) (*textOutput, error) { return nil, err })
		}
		fail("/api/v1/teapot", teapot)
		fail("/api/v1/wrapped", fmt.Errorf("around: %w", teapot.With("diagnosis", map[string]any{"reason": "wrong_code"}).Because(errCanary)))
		fail("/api/v1/busy", problem.New(503, "busy", "Busy.").After(1500*time.Millisecond))
		fail("/api/v1/fault", errCanary)
		fail("/api/v1/caught", fmt.Errorf("around: %w", &database.Panic{Value: "out of bread", Stack: []byte("bakery.go:7")}))
		fail("/api/v1/unwritable", teapot.With("x", func() {}))
		web.Register(api, web.Public, op("POST", "/api/v1/panic"), func(context.Context, web.Caller, *empty) (*textOutput, error) {
			panic(errors.New("out of cheese"))
		})
		web.Register(api, web.Public, op("POST", "/api/v1/unwritable-output"), func(context.Context, web.Caller, *empty) (*struct{ Body broken }, error) {
			return &struct{ Body broken }{}, nil
		})
		web.Register(api, web.Public, op("GET", "/api/v1/ok"), sayHello)
	})
}

type broken struct {
	A string `json:"a"`
}

func (broken) MarshalJSON() ([]byte, error) { return nil, errCanary }

func TestProblems(t *testing.T) {
	h := faultyHouse(t, nil)
	cases := map[string]struct {
		status int
		code   string
		logged string
	}{
		"/api/v1/teapot":            {418, "teapot", ""},
		"/api/v1/wrapped":           {418, "teapot", ""},
		"/api/v1/busy":              {503, "busy", ""},
		"/api/v1/fault":             {500, "internal_fault", errCanary.Error()},
		"/api/v1/unwritable":        {500, "internal_fault", "unsupported type"},
		"/api/v1/unwritable-output": {500, "internal_fault", errCanary.Error()},
		"/api/v1/panic":             {500, "internal_fault", "out of cheese"},
		"/api/v1/caught":            {500, "internal_fault", `"around: panic: out of bread","stack":"bakery.go:7"`},
	}
	for path, c := range cases {
		t.Run(path, func(t *testing.T) {
			before := len(h.log.String())
			got := h.call("POST", path, "")
			said := got.json(t)
			if got.status != c.status || said["code"] != c.code || said["status"] != float64(c.status) || said["detail"] == "" || said["title"] != http.StatusText(c.status) {
				t.Errorf("got %d %s", got.status, got.body)
			}
			id := got.header.Get("Request-Id")
			if got.header.Get("Content-Type") != "application/problem+json" || said["request_id"] != id || len(id) != 32 {
				t.Errorf("got %v", got.header)
			}
			log := h.log.String()[before:]
			if c.logged == "" {
				if strings.Contains(log, `"level":"ERROR"`) {
					t.Errorf("a refusal was logged as a fault: %s", log)
				}
				return
			}
			if strings.Contains(got.body, c.logged) {
				t.Errorf("the cause was shown: %s", got.body)
			}
			if strings.Count(log, c.logged) != 1 || !strings.Contains(log, id) {
				t.Errorf("the cause must be logged once, with the request's id: %s", log)
			}
		})
	}
	if got := h.api.Panics(); got != 2 { // one of them is the database's
		t.Errorf("%d panics were counted", got)
	}
	if got := h.call("POST", "/api/v1/busy", ""); got.header.Get("Retry-After") != "2" || got.json(t)["retry_after_seconds"] != 2.0 {
		t.Errorf("got %v %s", got.header, got.body)
	}
	if got := h.call("POST", "/api/v1/wrapped", "").json(t)["diagnosis"].(map[string]any)["reason"]; got != "wrong_code" {
		t.Errorf("got %v", got)
	}
	if got := h.call("GET", "/api/v1/ok", ""); got.status != 200 {
		t.Error("after all that it does not serve")
	}
}

func TestMethodsAndAddresses(t *testing.T) {
	h := serve(t, nil, func(api *web.API) {
		web.Register(api, web.Public, op("GET", "/api/v1/both"), sayHello)
		web.Register(api, web.Public, op("DELETE", "/api/v1/both"), sayHello)
		web.Register(api, web.Public, op("POST", "/api/v1/one"), sayHello)
	})
	for _, c := range []struct {
		method, path string
		status       int
		allow        []string
	}{
		{"POST", "/api/v1/both", 405, []string{"GET", "HEAD", "DELETE"}},
		{"GET", "/api/v1/one", 405, []string{"POST"}},
		{"HEAD", "/api/v1/one", 405, []string{"POST"}},
		{"HEAD", "/api/v1/both", 200, nil},
		{"GET", "/api/v1/none", 404, nil},
		{"POST", "/api/v1/none", 404, nil},
		{"OPTIONS", "/api/v1/one", 405, []string{"POST"}},
		{"POST", "/healthz", 405, []string{"GET", "HEAD"}},
		{"POST", "/somewhere", 405, []string{"GET", "HEAD"}},
		{"DELETE", "/assets/main-1a.js", 405, []string{"GET", "HEAD"}},
	} {
		t.Run(c.method+c.path, func(t *testing.T) {
			got := h.call(c.method, c.path, "")
			if got.status != c.status {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			if c.method == "HEAD" {
				if got.body != "" || got.header.Get("Content-Length") == "0" {
					t.Errorf("got %q, %v", got.body, got.header)
				}
			} else if want := map[int]string{404: "not_found", 405: "method_not_allowed"}[c.status]; got.code(t) != want {
				t.Errorf("got %s", got.body)
			}
			if c.allow != nil {
				sameSet(t, strings.Split(got.header.Get("Allow"), ", "), c.allow)
			}
		})
	}
}

func TestTheHeadersOfEveryAnswer(t *testing.T) {
	for _, public := range []string{publicURL, "https://id.example.org"} {
		h := faultyHouse(t, func(o *web.Options) { o.PublicURL, _ = url.Parse(public) })
		for _, c := range []struct{ method, path string }{
			{"GET", "/"}, {"GET", "/users/1"}, {"GET", "/assets/main-1a.js"}, {"GET", "/assets/missing.js"}, {"GET", "/favicon.svg"}, {"HEAD", "/"},
			{"GET", "/healthz"}, {"GET", "/readyz"}, {"GET", "/api/v1/time"}, {"GET", "/api/openapi.json"}, {"GET", "/api/v1/none"},
			{"DELETE", "/api/v1/ok"}, {"GET", "/%zz"}, {"POST", "/api/v1/fault"}, {"POST", "/api/v1/panic"}, {"POST", "/api/v1/teapot"}, {"PUT", "/"},
		} {
			t.Run(public+" "+c.method+" "+c.path, func(t *testing.T) {
				raw := h.raw(c.method + " " + c.path + " HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n")
				got := parse(t, raw).header
				for name, want := range map[string]string{
					"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
					"Cross-Origin-Resource-Policy": "same-origin", "Secondstep-Version": "1.2.3",
					"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'",
				} {
					if len(got[name]) != 1 || got[name][0] != want {
						t.Errorf("%s is %q", name, got[name])
					}
				}
				if got.Get("Permissions-Policy") == "" || len(got.Get("Request-Id")) != 32 || len(got["Content-Type"]) != 1 {
					t.Errorf("something is missing: %v", got)
				}
				if (got.Get("Strict-Transport-Security") != "") != strings.HasPrefix(public, "https") {
					t.Errorf("Strict-Transport-Security is %q", got.Get("Strict-Transport-Security"))
				}
				if file := strings.HasSuffix(c.path, "1a.js") || c.path == "/favicon.svg"; !file && got.Get("Cache-Control") != "no-store" {
					t.Errorf("Cache-Control is %q", got.Get("Cache-Control"))
				}
				if got.Get("Server") != "" || got.Get("Link") != "" || got.Get("Access-Control-Allow-Origin") != "" {
					t.Errorf("there is too much: %v", got)
				}
			})
		}
	}
}

func TestHealthTimeAndDocument(t *testing.T) {
	down := errors.New("the database is away")
	ready := func(context.Context) error { return nil }
	h := serve(t, func(o *web.Options) {
		o.Ready = func(ctx context.Context) error { return ready(ctx) }
	}, func(api *web.API) {
		web.Register(api, web.FreshAdministrator, op("PUT", "/api/v1/things/{id}"), takeAll)
	})
	if got := h.call("GET", "/healthz", ""); got.status != 200 || strings.TrimSpace(got.body) != `{"status":"ok"}` {
		t.Errorf("healthz: %d %s", got.status, got.body)
	}
	if got := h.call("GET", "/readyz", ""); got.status != 200 {
		t.Errorf("readyz: %d %s", got.status, got.body)
	}
	ready = func(context.Context) error { return down }
	if got := h.call("GET", "/readyz", ""); got.status != 503 || got.code(t) != "not_ready" || strings.Contains(got.body, "database") {
		t.Errorf("readyz: %d %s", got.status, got.body)
	}
	if !strings.Contains(h.log.String(), down.Error()) {
		t.Error("why it is not ready is not in the log")
	}
	if got := h.call("GET", "/healthz", ""); got.status != 200 {
		t.Errorf("healthz: %d %s", got.status, got.body)
	}
	if got := h.call("GET", "/api/v1/time", "").json(t)["now"]; got != "2026-03-04T05:06:07.008Z" {
		t.Errorf("the time is %v", got)
	}

	got := h.call("GET", "/api/openapi.json", "")
	if got.body != string(h.api.OpenAPI()) || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("the document is served otherwise: %v", got.header)
	}
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]map[string]any
		Components struct{ Schemas map[string]map[string]any }
	}
	if err := json.Unmarshal(h.api.OpenAPI(), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("it is OpenAPI %s", doc.OpenAPI)
	}
	for _, o := range h.api.Operations() {
		described := doc.Paths[o.Path][strings.ToLower(o.Method)]
		if described["x-access"] != o.Access {
			t.Errorf("%s %s is described as %v, not %s", o.Method, o.Path, described["x-access"], o.Access)
		}
		failure, _ := json.Marshal(described["responses"])
		if !strings.Contains(string(failure), "application/problem+json") || !strings.Contains(string(failure), "ProblemDetails") {
			t.Errorf("%s %s does not say how it fails: %s", o.Method, o.Path, failure)
		}
	}
	members := doc.Components.Schemas["ProblemDetails"]["properties"].(map[string]any)
	sent := teapot.With("diagnosis", 1).With("app_only", true).For(problem.Field{Name: "a", Code: "b"}).After(time.Second)
	raw, err := sent.Body("r")
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Fatal(err)
	}
	for name := range body {
		if members[name] == nil {
			t.Errorf("a problem has %s, and its description has not", name)
		}
	}
	for name := range members {
		if body[name] == nil {
			t.Errorf("the description has %s, and a problem has not", name)
		}
	}
}

func TestLevelsOfTheLog(t *testing.T) {
	h := faultyHouse(t, nil)
	for _, c := range []struct{ method, path, level string }{
		{"GET", "/api/v1/ok", "DEBUG"}, {"GET", "/api/v1/none", "DEBUG"}, {"POST", "/api/v1/fault", "WARN"}, {"POST", "/api/v1/busy", "WARN"},
	} {
		before := len(h.log.String())
		got := h.call(c.method, c.path, "")
		lines := strings.Split(strings.TrimSpace(h.log.String()[before:]), "\n")
		var line map[string]any
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &line); err != nil {
			t.Fatal(err)
		}
		route := c.path
		if got.status == 404 {
			route = ""
		}
		if line["level"] != c.level || line["route"] != route || line["method"] != c.method || line["status"] != float64(got.status) || line["address"] != "127.0.0.1" {
			t.Errorf("got %v", line)
		}
	}
	before := len(h.log.String())
	h.call("POST", "/api/v1/teapot", "", "Origin", "https://evil.example")
	if log := h.log.String()[before:]; !strings.Contains(log, `"level":"INFO"`) || !strings.Contains(log, `"code":"cross_site"`) || strings.Contains(log, "evil") {
		t.Errorf("got %s", log)
	}
}
