package web_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/valyala/fasthttp"

	"github.com/secondstep/secondstep/server/web"
)

const forever = "public, max-age=31536000, immutable"

func TestFiles(t *testing.T) {
	h := serve(t, nil, nil)
	cases := map[string]struct {
		path, accepts           string
		status                  int
		body, coding, kind, age string
	}{
		"not compressed":            {"/assets/main-1a.js", "", 200, "packed js", "", "text/javascript; charset=utf-8", forever},
		"Brotli":                    {"/assets/main-1a.js", "gzip, deflate, br", 200, packed("packed js"), "br", "text/javascript; charset=utf-8", forever},
		"gzip":                      {"/assets/main-1a.js", "gzip;q=0.5, br;q=0", 200, "packed js", "gzip", "text/javascript; charset=utf-8", forever},
		"neither":                   {"/assets/main-1a.js", "br;q=0,gzip;q=0.0,zstd", 200, "packed js", "", "text/javascript; charset=utf-8", forever},
		"no sibling":                {"/assets/main-1a.css", "br, gzip", 200, "plain css", "", "text/css; charset=utf-8", forever},
		"at the top":                {"/favicon.svg", "br", 200, "<svg/>", "", "image/svg+xml", "no-cache"},
		"missing":                   {"/assets/main-2b.js", "br", 404, "", "", "application/problem+json", "no-store"},
		"a sibling by name":         {"/assets/main-1a.js.br", "br", 404, "", "", "application/problem+json", "no-store"},
		"broken":                    {"/assets/broken.js", "br", 200, "no Brotli", "br", "text/javascript; charset=utf-8", forever},
		"broken, to be unpacked":    {"/assets/broken.js", "", 500, "", "", "application/problem+json", "no-store"},
		"broken, to be packed anew": {"/assets/broken.js", "gzip", 500, "", "", "application/problem+json", "no-store"},
		"the folder":                {"/assets/", "", 404, "", "", "application/problem+json", "no-store"},
		"out of the folder":         {"/assets/../index.html.br", "", 404, "", "", "application/problem+json", "no-store"},
		"out of the folder, hidden": {"/assets/%2e%2e/index.html", "", 404, "", "", "application/problem+json", "no-store"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := parse(t, h.raw("GET "+c.path+" HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nAccept-Encoding: "+c.accepts+"\r\nConnection: close\r\n\r\n"))
			if c.coding == "gzip" {
				got.body = unpackedGzip(t, got.body)
			}
			if got.status != c.status || c.body != "" && got.body != c.body || got.header.Get("Content-Encoding") != c.coding ||
				got.header.Get("Content-Type") != c.kind || got.header.Get("Cache-Control") != c.age {
				t.Errorf("got %d %v %q", got.status, got.header, got.body)
			}
			if strings.HasSuffix(c.path, "1a.js") && got.header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("Vary is %q", got.header.Get("Vary"))
			}
		})
	}
	first := h.call("GET", "/assets/main-1a.js", "", "Accept-Encoding", "br")
	again := h.call("GET", "/assets/main-1a.js", "", "Accept-Encoding", "br", "If-None-Match", first.header.Get("ETag"))
	if again.status != 304 || again.body != "" || again.header.Get("ETag") != first.header.Get("ETag") {
		t.Errorf("got %d %v", again.status, again.header)
	}
	if other := h.call("GET", "/assets/main-1a.js", "", "If-None-Match", first.header.Get("ETag")); other.status != 200 {
		t.Errorf("the plain one is another: %d", other.status)
	}
	head := h.call("HEAD", "/assets/main-1a.js", "")
	if head.status != 200 || head.header.Get("Content-Length") != "9" || head.body != "" {
		t.Errorf("got %d %v", head.status, head.header)
	}
}

func unpackedGzip(t *testing.T, body string) string {
	t.Helper()
	plain, err := fasthttp.AppendGunzipBytes(nil, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

func TestThePage(t *testing.T) {
	needed := true
	h := serve(t, func(o *web.Options) {
		o.SetupNeeded = func(context.Context) bool { return needed }
		o.Mails = true
	}, nil)
	for _, c := range []struct {
		path, accept string
		status       int
	}{
		{"/", "text/html,application/xhtml+xml", 200}, {"/", "", 200}, {"/", "*/*", 200}, {"/setup", "text/html", 200},
		{"/users/01J/security", "text/html", 200}, {"/users/a.b", "text/html", 200}, {"/index.html", "text/html", 200},
		{"/missing.js", "*/*", 404}, {"/x", "application/json", 404}, {"/x", "image/avif", 404}, {"/apix", "text/html", 200},
		{"/api/v1", "text/html", 404}, {"/.gitkeep", "*/*", 404},
	} {
		got := parse(t, h.raw("GET "+c.path+" HTTP/1.1\r\nHost: x\r\nAccept: "+c.accept+"\r\nConnection: close\r\n\r\n"))
		if got.status != c.status {
			t.Errorf("%s for %q: got %d", c.path, c.accept, got.status)
		}
		if c.status == 200 && (!strings.HasPrefix(got.body, "<!doctype html>") || got.header.Get("Cache-Control") != "no-store" || got.header.Get("Content-Type") != "text/html; charset=utf-8") {
			t.Errorf("%s: got %v %q", c.path, got.header, got.body)
		}
		if c.status == 404 && got.code(t) != "not_found" {
			t.Errorf("%s: got %s", c.path, got.body)
		}
	}
	const brand = `Acme &lt;&amp;&#34;$1&gt;`
	for _, needed = range []bool{true, false, true} {
		got := h.call("GET", "/", "").body
		for _, want := range []string{
			`<title>` + brand + `</title>`, `<meta name="secondstep-brand" content="` + brand + `" />`, `<meta name="secondstep-version" content="1.2.3">`, `<meta name="secondstep-mails" content="true">`,
			`<meta name="secondstep-setup-needed" content="` + map[bool]string{true: "true", false: "false"}[needed] + `">`,
			`<meta name="secondstep-session" content="none">`,
		} {
			if !strings.Contains(got, want) {
				t.Errorf("%s is not in %s", want, got)
			}
		}
	}
}

// TestRow68TheCameraIsForOnePage: the page that tries the camera may ask for it, and no other answer says so.
func TestRow68TheCameraIsForOnePage(t *testing.T) {
	h := serve(t, nil, nil)
	for path, want := range map[string]string{
		"/fix/scan": "camera=(self)", "/fix/scan/": "camera=(self)", "/fix/scan?x=/": "camera=(self)",
		"/fix": "camera=()", "/fix/code": "camera=()", "/fix/scan/x": "camera=()", "/": "camera=()", "/sign-in": "camera=()",
		"/api/v1/time": "camera=()", "/fix/scan.js": "camera=()", "//fix/scan": "camera=()",
	} {
		got := h.call("GET", path, "").header.Values("Permissions-Policy")
		if len(got) != 1 || !strings.HasPrefix(got[0], want+", ") || !strings.Contains(got[0], "microphone=()") {
			t.Errorf("%s: %v, want %s", path, got, want)
		}
	}
}

// TestTheLookIsOfNow: a name or a colour that is set reaches the next page, without inline code (row 68).
func TestTheLookIsOfNow(t *testing.T) {
	look := web.Look{Brand: "Acme"}
	h := serve(t, func(o *web.Options) {
		o.Look = func(context.Context) web.Look { return look }
		o.Stylesheet = func(accent string) []byte {
			if accent != "#0a7a55" {
				return nil
			}
			return []byte("html:root{}")
		}
	}, nil)
	if got := h.call("GET", "/", "").body; !strings.Contains(got, "<title>Acme</title>") || strings.Contains(got, "/accent/") {
		t.Errorf("without an accent: %s", got)
	}
	look = web.Look{Brand: "Other", Accent: "#0a7a55"}
	if got := h.call("GET", "/", "").body; !strings.Contains(got, `<title>Other</title><link rel="stylesheet" id="accent-sheet" href="/accent/0a7a55.css">`) {
		t.Errorf("with an accent: %s", got)
	}
	sheet := h.call("GET", "/accent/0a7a55.css", "")
	if sheet.status != 200 || sheet.body != "html:root{}" || sheet.header.Get("Content-Type") != "text/css; charset=utf-8" ||
		!strings.Contains(sheet.header.Get("Cache-Control"), "immutable") {
		t.Errorf("the stylesheet: %d %v %q", sheet.status, sheet.header, sheet.body)
	}
	for _, path := range []string{"/accent/0a7a56.css", "/accent/0a7a55", "/accent/.css", "/accent/../accent/0a7a55.css", "/accent/"} {
		if got := h.call("GET", path, ""); got.status != 404 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*web.Options)
		says   string
	}{
		"no front end":         {func(o *web.Options) { o.Dist = fstest.MapFS{".gitkeep": &fstest.MapFile{}} }, "`make build`"},
		"a page without metas": {func(o *web.Options) { o.Dist = fstest.MapFS{"index.html": &fstest.MapFile{Data: []byte("<html>")}} }, "secondstep-version"},
		"no public URL":        {func(o *web.Options) { o.PublicURL = nil }, "no public URL"},
		"a path":               {func(o *web.Options) { o.PublicURL, _ = url.Parse("https://x.example/a") }, "nothing after it"},
		"another scheme":       {func(o *web.Options) { o.PublicURL, _ = url.Parse("ftp://x.example") }, "http:// or https://"},
		"no host":              {func(o *web.Options) { o.PublicURL, _ = url.Parse("https:///") }, "nothing after it"},
		"no clock":             {func(o *web.Options) { o.Now = nil }, "required"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(&logBook{})
			c.change(&o)
			if _, err := web.New(o); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("New said %v", err)
			}
		})
	}
}
