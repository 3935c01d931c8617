package web_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/secondstep/secondstep/server/web"
)

var levels = []web.Access{web.Public, web.Pending, web.Enrolling, web.SignedIn, web.Fresh, web.FreshByApp, web.FreshEnrolling, web.Administrator, web.ProtectedAdministrator, web.FreshAdministrator}

func TestWhoMayCallWhat(t *testing.T) {
	h := serve(t, nil, func(api *web.API) {
		for _, level := range levels {
			web.Register(api, level, op("POST", "/api/v1/"+level.String()), sayHello)
		}
	})
	// The columns are the levels above: what each caller gets there.
	const (
		ok    = "ok"
		none  = "401 not_signed_in"
		ended = "401 session_ended"
		conf  = "403 enrolment_required"
		role  = "403 not_permitted"
		proof = "403 fresh_proof_required"
		app   = "403 app_code_required"
		first = "403 own_mfa_first"
	)
	matrix := map[string][]string{
		"nobody":         {ok, none, none, none, none, none, none, none, none, none},
		"dead":           {ok, none, ended, ended, ended, ended, ended, ended, ended, ended},
		"confined":       {ok, none, ok, conf, conf, conf, ok, conf, conf, conf},
		"member":         {ok, none, ok, ok, proof, proof, proof, role, role, role},
		"stale":          {ok, none, ok, ok, proof, proof, proof, role, role, role},
		"fresh":          {ok, none, ok, ok, ok, ok, ok, role, role, role},
		"backup":         {ok, none, ok, ok, ok, app, ok, role, role, role},
		"news":           {ok, none, ok, ok, ok, app, ok, role, role, role},
		"bare-admin":     {ok, none, ok, ok, ok, ok, ok, ok, first, first},
		"admin":          {ok, none, ok, ok, proof, proof, proof, ok, ok, proof},
		"fresh-admin":    {ok, none, ok, ok, ok, ok, ok, ok, ok, ok},
		"backup-admin":   {ok, none, ok, ok, ok, app, ok, ok, ok, app},
		"confined-admin": {ok, none, ok, conf, conf, conf, ok, conf, conf, conf},
	}
	for name, want := range matrix {
		for i, level := range levels {
			t.Run(name+" at "+level.String(), func(t *testing.T) {
				cookie := as(name)
				if name == "nobody" {
					cookie = nil
				}
				got := h.call("POST", "/api/v1/"+level.String(), "", cookie...)
				if got.status == 200 {
					if want[i] != ok {
						t.Fatalf("got in, wanted %s", want[i])
					}
					if text := got.json(t)["text"]; level != web.Public && text != "s-"+name {
						t.Errorf("it is %v", text)
					}
					return
				}
				if said := fmt.Sprintf("%d %s", got.status, got.code(t)); said != want[i] {
					t.Errorf("got %s, wanted %s", said, want[i])
				}
			})
		}
	}
}

func TestTheCredentialIsOneCookie(t *testing.T) {
	h := serve(t, nil, func(api *web.API) {
		web.Register(api, web.SignedIn, op("GET", "/api/v1/session"), sayHello)
		web.Register(api, web.Pending, op("GET", "/api/v1/sign-in"), sayHello)
		web.Register(api, web.Public, op("GET", "/api/v1/public"), sayHello)
	})
	cases := map[string]struct {
		path    string
		headers []string
		status  int
		code    string
	}{
		"session":                             {"/api/v1/session", as("member"), 200, ""},
		"pending":                             {"/api/v1/sign-in", []string{"Cookie", "secondstep_pending=" + cookieOf("owes")}, 200, ""},
		"pending that is gone":                {"/api/v1/sign-in", []string{"Cookie", "secondstep_pending=" + cookieOf("gone")}, 422, "code_refused"},
		"pending of no form":                  {"/api/v1/sign-in", []string{"Cookie", "secondstep_pending=x"}, 422, "code_refused"},
		"session where pending is asked":      {"/api/v1/sign-in", as("member"), 401, "not_signed_in"},
		"pending value as session":            {"/api/v1/session", as("owes"), 401, "session_ended"},
		"pending cookie where session is":     {"/api/v1/session", []string{"Cookie", "secondstep_pending=" + cookieOf("owes")}, 401, "not_signed_in"},
		"session value as bearer":             {"/api/v1/session", []string{"Authorization", "Bearer " + cookieOf("member")}, 401, "not_signed_in"},
		"session value as basic":              {"/api/v1/session", []string{"Authorization", "Basic " + cookieOf("member")}, 401, "not_signed_in"},
		"session value in the query":          {"/api/v1/session?secondstep_session=" + cookieOf("member"), nil, 401, "not_signed_in"},
		"empty cookie":                        {"/api/v1/session", []string{"Cookie", "secondstep_session="}, 401, "not_signed_in"},
		"too short":                           {"/api/v1/session", []string{"Cookie", "secondstep_session=" + cookieOf("member")[:42]}, 401, "session_ended"},
		"padded":                              {"/api/v1/session", []string{"Cookie", "secondstep_session=" + cookieOf("member") + "="}, 401, "session_ended"},
		"another spelling of the last symbol": {"/api/v1/session", []string{"Cookie", "secondstep_session=" + cookieOf("member")[:42] + "5"}, 401, "session_ended"},
		"public asks nobody":                  {"/api/v1/public", as("member"), 200, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := h.call("GET", c.path, "", c.headers...)
			if got.status != c.status {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			if c.code != "" && got.code(t) != c.code {
				t.Errorf("got %s", got.body)
			}
			if c.code == "code_refused" && got.json(t)["diagnosis"].(map[string]any)["reason"] != "sign_in_expired" {
				t.Errorf("got %s", got.body)
			}
			if len(got.header["Set-Cookie"]) > 0 {
				t.Errorf("a refusal set cookies: %v", got.header["Set-Cookie"])
			}
		})
	}
	before := h.people.asked
	h.call("GET", "/api/v1/public", "", as("member")...)
	if h.people.asked != before {
		t.Error("a public operation looked for a session")
	}
}

func TestAFailingAuthenticatorLetsNobodyIn(t *testing.T) {
	h := serve(t, nil, func(api *web.API) {
		web.Register(api, web.SignedIn, op("GET", "/api/v1/session"), sayHello)
		web.Register(api, web.Pending, op("GET", "/api/v1/sign-in"), sayHello)
	})
	h.people.fail = errCanary
	for path, cookie := range map[string]string{"/api/v1/session": "secondstep_session=" + cookieOf("member"), "/api/v1/sign-in": "secondstep_pending=" + cookieOf("owes")} {
		got := h.call("GET", path, "", "Cookie", cookie)
		if got.status != 500 || got.code(t) != "internal_fault" || strings.Contains(got.body, errCanary.Error()) {
			t.Errorf("%s: got %d %s", path, got.status, got.body)
		}
	}
}

func TestTheOrderOfTheChecks(t *testing.T) {
	h := serve(t, nil, func(api *web.API) {
		web.Register(api, web.FreshAdministrator, op("POST", "/api/v1/act"), takeAll)
	})
	wrong := `{"canary":1}`
	foreign := []string{"Sec-Fetch-Site", "cross-site"}
	for _, step := range []struct {
		headers []string
		code    string
	}{
		{append(as("nobody"), foreign...), "cross_site"}, // before the credential
		{as("nobody"), "session_ended"},                  // before what the session says
		{as("confined"), "enrolment_required"},           // before the role
		{as("member"), "not_permitted"},                  // before the proof
		{as("admin"), "fresh_proof_required"},            // before the kind of proof
		{as("backup-admin"), "app_code_required"},        // before the body
		{as("fresh-admin"), "unknown_field"},
	} {
		if got := h.call("POST", "/api/v1/act", wrong, step.headers...).code(t); got != step.code {
			t.Errorf("got %s, wanted %s", got, step.code)
		}
	}
}

func TestStartRefuses(t *testing.T) {
	cases := map[string]struct {
		register func(*web.API)
		says     string
	}{
		"an operation without access": {func(api *web.API) {
			web.Register(api, web.Access{}, op("GET", "/api/v1/x"), sayHello)
		}, "has no access"},
		"one outside /api": {func(api *web.API) {
			web.Register(api, web.Public, op("GET", "/x"), sayHello)
		}, "outside /api/"},
		"the same twice": {func(api *web.API) {
			web.Register(api, web.Public, op("GET", "/api/v1/time"), sayHello)
		}, "added twice"},
		"a hidden one": {func(api *web.API) {
			o := op("GET", "/api/v1/x")
			o.Hidden = true
			web.Register(api, web.Public, o, sayHello)
		}, "hidden"},
		"a route put on Fiber": {func(api *web.API) {
			api.Handler().Get("/api/v1/backdoor", func(c *fiber.Ctx) error { return c.SendString("hello") })
		}, "GET /api/v1/backdoor was added twice, or not by web.Register"},
		"a Fiber middleware": {func(api *web.API) {
			api.Handler().Use(func(c *fiber.Ctx) error { return c.SendString("hello") })
		}, "not by web.Register"},
		"an open object": {func(api *web.API) {
			web.Register(api, web.Public, op("POST", "/api/v1/x"), func(context.Context, web.Caller, *struct{ Body map[string]string }) (*textOutput, error) {
				return text(""), nil
			})
		}, "any keys"},
		"any value": {func(api *web.API) {
			web.Register(api, web.Public, op("POST", "/api/v1/x"), func(context.Context, web.Caller, *struct {
				Body struct {
					A any `json:"a"`
				}
			}) (*textOutput, error) {
				return text(""), nil
			})
		}, "any type"},
		"a raw body": {func(api *web.API) {
			web.Register(api, web.Public, op("POST", "/api/v1/x"), func(context.Context, web.Caller, *struct{ RawBody []byte }) (*textOutput, error) {
				return text(""), nil
			})
		}, "RawBody from neither path, query nor body"},
		"a parameter of a kind that is not read": {func(api *web.API) {
			web.Register(api, web.Public, op("GET", "/api/v1/x"), func(context.Context, web.Caller, *struct {
				Ratio float64 `query:"ratio"`
			}) (*textOutput, error) {
				return text(""), nil
			})
		}, "query parameter ratio as float64"},
		"cookies of a kind that is not sent": {func(api *web.API) {
			web.Register(api, web.Public, op("GET", "/api/v1/x"), func(context.Context, web.Caller, *empty) (*struct{ SetCookie []string }, error) {
				return nil, nil
			})
		}, "cookies of the type []string"},
		"a body in what is embedded": {func(api *web.API) {
			web.Register(api, web.Public, op("POST", "/api/v1/x"), func(context.Context, web.Caller, *struct{ Embedded }) (*textOutput, error) {
				return text(""), nil
			})
		}, "Body from neither path"},
		"an answer of other things": {func(api *web.API) {
			web.Register(api, web.Public, op("GET", "/api/v1/x"), func(context.Context, web.Caller, *empty) (*struct{ Status int }, error) {
				return nil, nil
			})
		}, "answers Status"},
		"a method answered by itself": {func(api *web.API) {
			web.Register(api, web.Public, op("HEAD", "/api/v1/x"), sayHello)
		}, "has a method"},
		"middlewares": {func(api *web.API) {
			o := op("GET", "/api/v1/x")
			o.Middlewares = huma.Middlewares{func(c huma.Context, next func(huma.Context)) { next(c) }}
			web.Register(api, web.Public, o, sayHello)
		}, "has middlewares"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			api, err := web.New(options(&logBook{}))
			if err != nil {
				t.Fatal(err)
			}
			c.register(api)
			if err := api.Start(crowd()); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Start said %v", err)
			}
		})
	}
}

// Embedded holds what an input holds by itself.
type Embedded struct {
	Body struct {
		Text string `json:"text"`
	}
}

func TestNothingIsRegisteredAfterStart(t *testing.T) {
	h := serve(t, nil, nil)
	web.Register(h.api, web.Public, op("GET", "/api/v1/late"), sayHello)
	if got := h.call("GET", "/api/v1/late", ""); got.status != 404 {
		t.Errorf("got %d", got.status)
	}
}

func TestTheServerHasTimeOuts(t *testing.T) {
	api, err := web.New(options(&logBook{}))
	if err != nil {
		t.Fatal(err)
	}
	s := api.Handler().Server()
	if s.ReadTimeout <= 0 || s.WriteTimeout <= 0 || s.IdleTimeout <= 0 || s.MaxRequestBodySize != 16<<10 {
		t.Errorf("a limit is missing: %v %v %v %d", s.ReadTimeout, s.WriteTimeout, s.IdleTimeout, s.MaxRequestBodySize)
	}
}
