package web_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/valyala/fasthttp"

	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/web"
)

const publicURL = "http://127.0.0.1:8080"

const indexHTML = `<!doctype html><html><head><meta charset="utf-8"><title>Placeholder</title>
<meta name="secondstep-brand" content="" /><meta name="secondstep-version" content=""><meta name="secondstep-mails" content="">
<meta name="secondstep-setup-needed" content=""><meta name="secondstep-session" content=""></head><body></body></html>`

func dist() fstest.MapFS {
	files := fstest.MapFS{}
	for name, content := range map[string]string{
		".gitkeep": "", "index.html": indexHTML, "index.html.br": "not for anybody", "favicon.svg": "<svg/>",
		"assets/main-1a.js.br": packed("packed js"), "assets/main-1a.css": "plain css", "assets/broken.js.br": "no Brotli",
	} {
		files[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return files
}

// packed is text as the build compresses it.
func packed(text string) string { return string(fasthttp.AppendBrotliBytes(nil, []byte(text))) }

// logBook is a log that can be read while it is written.
type logBook struct {
	mu  sync.Mutex
	raw bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.raw.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.raw.String()
}

// people is an Authenticator that knows some tokens.
type people struct {
	mu       sync.Mutex
	sessions map[string]*web.Session
	pending  map[string]*web.PendingSignIn
	fail     error
	asked    int
}

func (p *people) Session(_ context.Context, token []byte) (*web.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	return p.sessions[string(token)], p.fail
}

func (p *people) Pending(_ context.Context, token []byte) (*web.PendingSignIn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pending[string(token)], p.fail
}

func tokenOf(name string) []byte {
	raw := bytes.Repeat([]byte{'.'}, 32)
	copy(raw, name)
	return raw
}

func cookieOf(name string) string { return base64.RawURLEncoding.EncodeToString(tokenOf(name)) }

var clock = time.Date(2026, 3, 4, 5, 6, 7, 8_000_000, time.UTC)

func crowd() *people {
	p := &people{sessions: map[string]*web.Session{}, pending: map[string]*web.PendingSignIn{
		string(tokenOf("owes")): {ID: "p1", UserID: "u1", ExpiresAt: clock.Add(time.Minute)},
	}}
	fresh := clock.Add(time.Minute)
	for name, s := range map[string]web.Session{
		"confined":       {ConfinedTo: "enrolment", Role: "member", FreshUntil: fresh, FreshWith: "password"},
		"member":         {Role: "member"},
		"stale":          {Role: "member", FreshUntil: clock, FreshWith: "totp"},
		"fresh":          {Role: "member", FreshUntil: fresh, FreshWith: "totp"},
		"backup":         {Role: "member", FreshUntil: fresh, FreshWith: "backup_code"},
		"news":           {Role: "member", FreshUntil: fresh, FreshWith: "a factor that nobody has said to be good for everything"},
		"bare-admin":     {Role: "administrator", FreshUntil: fresh, FreshWith: "password"},
		"admin":          {Role: "administrator", MFA: true},
		"fresh-admin":    {Role: "administrator", MFA: true, FreshUntil: fresh, FreshWith: "totp"},
		"backup-admin":   {Role: "administrator", MFA: true, FreshUntil: fresh, FreshWith: "backup_code"},
		"confined-admin": {Role: "administrator", ConfinedTo: "enrolment", FreshUntil: fresh, FreshWith: "password"},
	} {
		s.ID, s.UserID, s.Email = "s-"+name, "u-"+name, name+"@example.test"
		p.sessions[string(tokenOf(name))] = &s
	}
	return p
}

// house is a served API.
type house struct {
	t      *testing.T
	api    *web.API
	people *people
	log    *logBook
	addr   string
	client *http.Client
}

func options(log io.Writer) web.Options {
	u, _ := url.Parse(publicURL)
	return web.Options{
		PublicURL: u, Version: "1.2.3", Look: func(context.Context) web.Look { return web.Look{Brand: "Acme <&\"$1>"} }, Now: func() time.Time { return clock }, Random: rand.Reader,
		Logger: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), Dist: fs.FS(dist()),
		FullProofs: []string{web.Password, "totp"},
	}
}

// serve starts an API with the operations that register adds, changed as told.
func serve(t *testing.T, change func(*web.Options), register func(*web.API)) *house {
	t.Helper()
	h := &house{t: t, people: crowd(), log: &logBook{}}
	o := options(h.log)
	if change != nil {
		change(&o)
	}
	api, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if register != nil {
		register(api)
	}
	if err := api.Start(h.people); err != nil {
		t.Fatal(err)
	}
	h.api = api
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.addr = listener.Addr().String()
	done := make(chan error, 1)
	go func() { done <- api.Handler().Listener(listener) }()
	h.client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}}
	t.Cleanup(func() {
		h.client.CloseIdleConnections()
		if err := api.Handler().Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return h
}

// answer is a whole answer.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) code(t *testing.T) string {
	t.Helper()
	return a.json(t)["code"].(string)
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("%v: %q", err, a.body)
	}
	return m
}

// call sends a request; headers are pairs. A body is sent as JSON unless a
// Content-Type is given.
func (h *house) call(method, path, body string, headers ...string) answer {
	h.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, "http://"+h.addr+path, reader)
	if err != nil {
		h.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := h.client.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(raw)}
}

// raw sends bytes as they are and reads one answer's bytes until the end.
func (h *house) raw(sent string) string {
	h.t.Helper()
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, sent); err != nil {
		h.t.Fatal(err)
	}
	_ = conn.(*net.TCPConn).CloseWrite()
	got, err := io.ReadAll(conn)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(got)
}

func as(name string) []string { return []string{"Cookie", "secondstep_session=" + cookieOf(name)} }

type empty struct{}

type textOutput struct {
	Body struct {
		Text string `json:"text"`
	}
}

func text(s string) *textOutput {
	out := &textOutput{}
	out.Body.Text = s
	return out
}

func op(method, path string) huma.Operation {
	id := method + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)
	return huma.Operation{OperationID: id, Method: method, Path: path}
}

func sayHello(_ context.Context, caller web.Caller, _ *empty) (*textOutput, error) {
	switch {
	case caller.Session != nil:
		return text(caller.Session.ID), nil
	case caller.Pending != nil:
		return text(caller.Pending.ID), nil
	}
	return text("nobody"), nil
}

var errCanary = errors.New("cause of a fault")

var teapot = problem.New(418, "teapot", "Short and stout.")
