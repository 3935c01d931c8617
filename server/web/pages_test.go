package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/web"
)

// TestPagesDeclareTheirAccess is row 2 for pages that the server makes itself.
func TestPagesDeclareTheirAccess(t *testing.T) {
	answer := func(context.Context, web.Visit) web.Page { return web.Page{} }
	for want, register := range map[string]func(*web.API){
		"lie where operations are": func(api *web.API) { web.RegisterPages(api, "/api/help", answer) },
		"":                         func(api *web.API) { web.RegisterPages(api, "/help", answer) },
	} {
		api, err := web.New(options(&logBook{}))
		if err != nil {
			t.Fatal(err)
		}
		register(api)
		if err := api.Start(crowd()); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestPagesStand lets pages have a prefix, and nothing beside it; a file of the front end stays what it is.
func TestPagesStand(t *testing.T) {
	var seen []web.Visit
	h := serve(t, nil, func(api *web.API) {
		web.RegisterPages(api, "/help", func(_ context.Context, visit web.Visit) web.Page {
			seen = append(seen, visit)
			if visit.Path == "/slow" {
				return web.Page{Status: http.StatusTooManyRequests, Document: web.NewDocument("text/html; charset=utf-8", []byte("slow")), RetryAfter: 1500 * time.Millisecond}
			}
			return web.Page{Document: web.NewDocument("text/html; charset=utf-8", []byte("help"))}
		})
		if api.Asset("main.js") != "/assets/main-1a.js" || api.Asset("mai.js") != "" || api.Asset("main.png") != "" || !api.File("/favicon.svg") {
			t.Errorf("the assets are %q", api.Asset("main.js"))
		}
	})
	for path, want := range map[string]string{"/help": "help", "/help/": "help", "/help/a/b": "help", "/helpful": "", "/": ""} {
		if got := h.call("GET", path, "", "Accept", "text/html"); got.status != http.StatusOK || (got.body == "help") != (want == "help") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if got := h.call("GET", "/help/slow", ""); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "2" || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", got.status, got.header)
	}
	if got := h.call("HEAD", "/help", ""); got.status != http.StatusOK || got.body != "" || got.header.Get("Content-Length") != "4" {
		t.Errorf("%d %v %q", got.status, got.header, got.body)
	}
	seen = nil
	h.call("POST", "/help/a?b=c", "d=e%0Af", "Content-Type", "application/x-www-form-urlencoded; charset=utf-8", "Accept-Language", "de")
	if len(seen) != 1 || seen[0].Refused != nil || seen[0].Path != "/a" || seen[0].Query.Get("b") != "c" || seen[0].Form.Get("d") != "e\nf" || seen[0].Languages != "de" || seen[0].SignedIn {
		t.Errorf("seen %+v", seen)
	}
}
