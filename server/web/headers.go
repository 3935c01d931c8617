package web

import "strings"

type header struct{ name, value string }

// contentPolicy allows our own files and nothing else; no inline code (row 68).
var contentPolicy = strings.Join([]string{
	"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:",
	"connect-src 'self'", "manifest-src 'self'", "form-action 'self'", "base-uri 'none'",
	"frame-ancestors 'none'", "object-src 'none'",
}, "; ")

// headersOfEveryAnswer are the same for every answer, errors included (rows 68
// and 69). There is none of CORS: no other origin may read anything (row 70).
func headersOfEveryAnswer(https bool, version string) []header {
	all := []header{
		{"Content-Security-Policy", contentPolicy},
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
	}
	if version != "" {
		all = append(all, header{"Secondstep-Version", version})
	}
	if https {
		// For this host alone: what runs on its sub-domains is not ours to say.
		all = append(all, header{"Strict-Transport-Security", "max-age=31536000"})
	}
	return all
}

// dress puts on what every answer has.
func (a *API) dress(fctx *requestCtx, r *request) {
	h := &fctx.Response.Header
	for i := range a.headers {
		h.SetCanonical([]byte(a.headers[i].name), []byte(a.headers[i].value))
	}
	h.Set("Request-Id", r.id)
}
