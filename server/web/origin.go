package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/secondstep/secondstep/server/problem"
)

// acceptedOrigins are the origins that may change something here, as browsers
// write them (RFC 6454): lower case, and no port where it is the scheme's own.
func acceptedOrigins(public *url.URL, loopbackAliases bool) []string {
	origins := []string{Origin(public)}
	if loopbackAliases {
		origins = append(origins, originAt(public, "localhost"), originAt(public, "127.0.0.1"), originAt(public, "::1"))
	}
	return origins
}

// Origin is the origin of a public URL, as browsers write it.
func Origin(public *url.URL) string { return originAt(public, public.Hostname()) }

// originAt is the same at another host.
func originAt(public *url.URL, host string) string {
	port := public.Port()
	if port == "80" && public.Scheme == "http" || port == "443" && public.Scheme == "https" {
		port = ""
	}
	if port != "" {
		port = ":" + port
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return public.Scheme + "://" + strings.ToLower(host) + port
}

// sameSite says whether a request comes from our own pages, or from no page at
// all: a client that is no browser sends neither header, and has no cookies
// that somebody else's page could borrow.
func (a *API) sameSite(fctx *requestCtx) bool {
	for _, site := range fctx.Request.Header.PeekAll("Sec-Fetch-Site") {
		if s := string(site); s != "same-origin" && s != "none" {
			return false
		}
	}
	for _, sent := range fctx.Request.Header.PeekAll("Origin") {
		if !a.acceptsOrigin(string(sent)) {
			return false
		}
	}
	return true
}

func (a *API) acceptsOrigin(origin string) bool {
	for _, accepted := range a.origins {
		if origin == accepted {
			return true
		}
	}
	return false
}

// crossSiteRefusal names the configured address: whoever came by another one,
// the administrator at first, learns which is right.
func (a *API) crossSiteRefusal() *problem.Problem {
	return problem.New(http.StatusForbidden, "cross_site",
		"The page must be opened at the configured public address, "+a.publicURL+". Open it there and try again.")
}
