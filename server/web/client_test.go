package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/secondstep/secondstep/server/web"
)

// whoami answers what is known about the client.
func whoami(_ context.Context, caller web.Caller, _ *empty) (*textOutput, error) {
	return text(fmt.Sprintf("%s|%s|%s|%s|%s", caller.RequestID, caller.Address, caller.Network, caller.Browser, hex.EncodeToString(caller.BrowserID))), nil
}

func clientHouse(t *testing.T, trusted ...string) *house {
	return serve(t, func(o *web.Options) {
		for _, p := range trusted {
			o.TrustedProxies = append(o.TrustedProxies, netip.MustParsePrefix(p))
		}
	}, func(api *web.API) { web.Register(api, web.Public, op("GET", "/api/v1/whoami"), whoami) })
}

func (h *house) whoami(headers ...string) []string {
	h.t.Helper()
	return strings.Split(h.call("GET", "/api/v1/whoami", "", headers...).json(h.t)["text"].(string), "|")
}

func TestTheAddress(t *testing.T) {
	const forwarded = "X-Forwarded-For"
	direct := clientHouse(t)
	besides := clientHouse(t, "10.0.0.0/8") // trusts a proxy that is not the peer
	behind := clientHouse(t, "127.0.0.0/8", "10.0.0.0/8", "fd00::/8")
	cases := map[string]struct {
		h                *house
		headers          []string
		address, network string
	}{
		"the peer":                             {direct, nil, "127.0.0.1", "127.0.0.1"},
		"a header of nobody we trust":          {direct, []string{forwarded, "203.0.113.9"}, "127.0.0.1", "127.0.0.1"},
		"past the proxy":                       {besides, []string{forwarded, "203.0.113.9, 10.1.1.1"}, "127.0.0.1", "127.0.0.1"},
		"other headers, never":                 {behind, []string{"X-Real-Ip", "203.0.113.9", "Forwarded", "for=203.0.113.9", "Cf-Connecting-Ip", "203.0.113.9"}, "127.0.0.1", "127.0.0.1"},
		"one proxy":                            {behind, []string{forwarded, "203.0.113.9"}, "203.0.113.9", "203.0.113.9"},
		"what the client put in front":         {behind, []string{forwarded, "1.2.3.4, 203.0.113.9"}, "203.0.113.9", "203.0.113.9"},
		"two proxies":                          {behind, []string{forwarded, "1.2.3.4, 203.0.113.9,10.1.1.1"}, "203.0.113.9", "203.0.113.9"},
		"proxies all the way":                  {behind, []string{forwarded, "10.2.2.2, 10.1.1.1"}, "10.2.2.2", "10.2.2.2"},
		"not readable":                         {behind, []string{forwarded, "203.0.113.9, unknown"}, "127.0.0.1", "127.0.0.1"},
		"not readable further on":              {behind, []string{forwarded, "203.0.113.9, <script>, 10.1.1.1"}, "10.1.1.1", "10.1.1.1"},
		"empty":                                {behind, []string{forwarded, ""}, "127.0.0.1", "127.0.0.1"},
		"with a port":                          {behind, []string{forwarded, "203.0.113.9:4711"}, "203.0.113.9", "203.0.113.9"},
		"IPv6 is counted by /64":               {behind, []string{forwarded, "2001:db8:1:2:3:4:5:6"}, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		"IPv6 with brackets and a port":        {behind, []string{forwarded, "[2001:db8:1:2::9]:4711"}, "2001:db8:1:2::9", "2001:db8:1:2::/64"},
		"IPv6 with brackets":                   {behind, []string{forwarded, "[2001:db8:1:2::9]"}, "2001:db8:1:2::9", "2001:db8:1:2::/64"},
		"IPv6 with a zone":                     {behind, []string{forwarded, "fe80::1%eth0"}, "fe80::1", "fe80::/64"},
		"IPv4 dressed as IPv6":                 {behind, []string{forwarded, "::ffff:203.0.113.9"}, "203.0.113.9", "203.0.113.9"},
		"a trusted proxy dressed as IPv6":      {behind, []string{forwarded, "203.0.113.9, ::ffff:10.1.1.1"}, "203.0.113.9", "203.0.113.9"},
		"the Host and X-Forwarded-Host, never": {behind, []string{"X-Forwarded-Host", "evil.example"}, "127.0.0.1", "127.0.0.1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.h.whoami(c.headers...); got[1] != c.address || got[2] != c.network {
				t.Errorf("got %s in %s, wanted %s in %s", got[1], got[2], c.address, c.network)
			}
		})
	}
	t.Run("several lines are one list", func(t *testing.T) {
		got := parse(t, behind.raw("GET /api/v1/whoami HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 10.1.1.1\r\nConnection: close\r\n\r\n"))
		if !strings.Contains(got.body, "|203.0.113.9|") {
			t.Errorf("got %s", got.body)
		}
	})
}

// What one party may well have many networks in.
func TestTheNeighbourhood(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.9": "203.0.113.0/24", "2001:db8:1:2:3:4:5:6": "2001:db8:1::/48", "fe80::1": "fe80::/48", "": "",
	} {
		parsed, _ := netip.ParseAddr(address)
		if got := web.Neighbourhood(parsed); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestTheBrowser(t *testing.T) {
	h := clientHouse(t)
	cases := map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0":                                                                  "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36":                         "Chrome on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1":          "Safari on iPad",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15":                   "Safari on macOS",
		"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36":                   "Chrome on Android",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36":                           "Chrome on Linux",
		"curl/8.5.0": "curl",
		canary + "/1.0 (" + canary + "; Linux) <script>": "Unknown browser on Linux",
		canary:                    "Unknown browser",
		strings.Repeat("x", 4000): "Unknown browser",
		"Mozilla/5.0 (" + canary + ") Chrome/" + canary + " " + canary + "/1 Safari/1": "Unknown browser",
	}
	for sent, want := range cases {
		t.Run(want, func(t *testing.T) {
			for range 2 { // the second time it is remembered
				if got := h.whoami("User-Agent", sent)[3]; got != want {
					t.Errorf("got %q for %q", got, sent)
				}
			}
		})
	}
	for i := range 600 { // more than are remembered
		if got := h.whoami("User-Agent", fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.0", i, i))[3]; got != "Firefox on Linux" {
			t.Fatalf("got %q", got)
		}
	}
}

func TestTheBrowserCookie(t *testing.T) {
	h := clientHouse(t)
	sum := sha256.Sum256(tokenOf("browser"))
	for cookie, want := range map[string]string{
		"": "",
		"secondstep_browser=" + cookieOf("browser"): hex.EncodeToString(sum[:]),
		"secondstep_browser=x":                      "",
		"secondstep_browser=":                       "",
	} {
		if got := h.whoami("Cookie", cookie)[4]; got != want {
			t.Errorf("%q: got %q", cookie, got)
		}
	}
}

func TestTheRequestIDIsOurs(t *testing.T) {
	h := clientHouse(t)
	seen := map[string]bool{}
	for range 100 {
		got := h.call("GET", "/api/v1/whoami", "", "Request-Id", canary, "X-Request-Id", canary)
		id := got.header.Get("Request-Id")
		if raw, err := hex.DecodeString(id); err != nil || len(raw) != 16 || seen[id] {
			t.Fatalf("the id is %q", id)
		}
		seen[id] = true
		if !strings.HasPrefix(got.json(t)["text"].(string), id+"|") {
			t.Errorf("the handler got another id: %s", got.body)
		}
		if !strings.Contains(h.log.String(), `"request_id":"`+id+`"`) {
			t.Errorf("the log does not know %s", id)
		}
	}
}

// keeping keeps everything that a handler gets, as a queue or an audit would.
type keeping struct {
	mu   sync.Mutex
	kept []kept
}

type kept struct {
	ctx    context.Context
	caller web.Caller
	in     *keptInput
}

type keptInput struct {
	ID    string `path:"id"`
	Query string `query:"query"`
	Body  struct {
		Text string `json:"text"`
	}
}

// Security.md row 77: Fiber uses its buffers again, so what a handler keeps
// must be its own.
func TestWhatAHandlerKeepsStaysAsItWas(t *testing.T) {
	store := &keeping{}
	h := serve(t, nil, func(api *web.API) {
		web.Register(api, web.SignedIn, op("POST", "/api/v1/keep/{id}"), func(ctx context.Context, caller web.Caller, in *keptInput) (*textOutput, error) {
			store.mu.Lock()
			defer store.mu.Unlock()
			store.kept = append(store.kept, kept{ctx, caller, in})
			return text(in.Body.Text), nil
		})
	})
	const people, each = 40, 25
	for i := range people {
		name := fmt.Sprintf("person-%02d", i)
		h.people.sessions[string(tokenOf(name))] = &web.Session{ID: name}
	}
	var all sync.WaitGroup
	for i := range people {
		all.Go(func() {
			for j := range each {
				mark := fmt.Sprintf("%02d-%02d", i, j)
				got := h.call("POST", "/api/v1/keep/p"+mark+"?query=q"+mark, `{"text":"t`+mark+`"}`,
					"Cookie", "secondstep_session="+cookieOf(fmt.Sprintf("person-%02d", i)))
				if !strings.Contains(got.body, `"t`+mark+`"`) {
					t.Errorf("%s got the answer %s", mark, got.body)
				}
			}
		})
	}
	all.Wait()
	if len(store.kept) != people*each {
		t.Fatalf("%d were kept", len(store.kept))
	}
	ids := map[string]bool{}
	for _, k := range store.kept {
		mark := strings.TrimPrefix(k.in.Body.Text, "t")
		if k.in.ID != "p"+mark || k.in.Query != "q"+mark || k.caller.Session.ID != "person-"+mark[:2] {
			t.Fatalf("mixed up: %+v of %s", k.in, k.caller.Session.ID)
		}
		if ids[k.caller.RequestID] || k.ctx.Err() != nil || k.ctx.Value("x") != nil {
			t.Fatalf("the request %s came twice, or ended", k.caller.RequestID)
		}
		ids[k.caller.RequestID] = true
	}
}
