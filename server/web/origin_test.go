package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/web"
)

func TestOtherSitesAreRefused(t *testing.T) {
	at := func(public string, aliases bool) *house {
		return serve(t, func(o *web.Options) {
			o.PublicURL, _ = url.Parse(public)
			o.LoopbackAliases = aliases
		}, func(api *web.API) {
			for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
				web.Register(api, web.Public, op(m, "/api/v1/x"), sayHello)
			}
		})
	}
	https := at("https://Id.Example.org/", false)
	port := at("https://id.example.org:8443", false)
	loopback := at("http://127.0.0.1:8080", true)
	configured := at("http://127.0.0.1:8080", false)
	const site, origin = "Sec-Fetch-Site", "Origin"
	cases := map[string]struct {
		h       *house
		headers []string
		ok      bool
	}{
		"no browser":                     {https, nil, true},
		"our page":                       {https, []string{site, "same-origin", origin, "https://id.example.org"}, true},
		"our page, older browser":        {https, []string{origin, "https://id.example.org"}, true},
		"the address bar":                {https, []string{site, "none"}, true},
		"another site":                   {https, []string{site, "cross-site", origin, "https://evil.example"}, false},
		"another site, older browser":    {https, []string{origin, "https://evil.example"}, false},
		"another site hides its origin":  {https, []string{origin, "null"}, false},
		"a neighbour":                    {https, []string{site, "same-site"}, false},
		"a neighbour with our origin":    {https, []string{site, "same-site", origin, "https://id.example.org"}, false},
		"an unknown word":                {https, []string{site, "SAME-ORIGIN"}, false},
		"an empty word":                  {https, []string{site, " "}, false},
		"our host by http":               {https, []string{origin, "http://id.example.org"}, false},
		"our host at another port":       {https, []string{origin, "https://id.example.org:8443"}, false},
		"our port":                       {port, []string{origin, "https://id.example.org:8443"}, true},
		"not our port":                   {port, []string{origin, "https://id.example.org"}, false},
		"our name in front of another":   {https, []string{origin, "https://id.example.org.evil.example"}, false},
		"our name as a user":             {https, []string{origin, "https://id.example.org@evil.example"}, false},
		"a path behind it":               {https, []string{origin, "https://id.example.org/"}, false},
		"the Host header does not count": {https, []string{origin, "https://evil.example", "X-Forwarded-Host", "evil.example"}, false},
		"127.0.0.1":                      {loopback, []string{origin, "http://127.0.0.1:8080"}, true},
		"localhost":                      {loopback, []string{site, "same-origin", origin, "http://localhost:8080"}, true},
		"[::1]":                          {loopback, []string{origin, "http://[::1]:8080"}, true},
		"localhost at another port":      {loopback, []string{origin, "http://localhost:9090"}, false},
		"a name that is made to loop":    {loopback, []string{origin, "http://evil.example:8080"}, false},
		"localhost, not the configured":  {configured, []string{origin, "http://localhost:8080"}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, m := range []string{"POST", "PUT", "PATCH", "DELETE"} {
				got := c.h.call(m, "/api/v1/x", "", c.headers...)
				switch {
				case c.ok && got.status != 200:
					t.Errorf("%s was refused: %s", m, got.body)
				case !c.ok && (got.status != 403 || got.code(t) != "cross_site"):
					t.Errorf("%s got %d %s", m, got.status, got.body)
				case !c.ok && (strings.Contains(got.body, "evil") || !strings.Contains(got.body, "://")):
					t.Errorf("%s: it must name our address and not theirs: %s", m, got.body)
				}
			}
			got := c.h.call("GET", "/api/v1/x", "", c.headers...)
			if got.status != 200 {
				t.Errorf("reading was refused: %s", got.body)
			}
			for name := range got.header {
				if strings.HasPrefix(name, "Access-Control") {
					t.Errorf("there is %s", name)
				}
			}
		})
	}
	t.Run("two origins", func(t *testing.T) {
		got := parse(t, https.raw("POST /api/v1/x HTTP/1.1\r\nHost: x\r\nOrigin: https://id.example.org\r\nOrigin: https://evil.example\r\nConnection: close\r\n\r\n"))
		if got.status != 403 {
			t.Errorf("got %d", got.status)
		}
	})
	t.Run("a preflight gets nothing", func(t *testing.T) {
		got := https.call("OPTIONS", "/api/v1/x", "", origin, "https://evil.example", "Access-Control-Request-Method", "POST")
		if got.status != 405 || got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("got %d %v", got.status, got.header)
		}
	})
}
