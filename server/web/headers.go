package web

import "strings"

// header is a header line of its own; bytes, since it goes out with every answer.
type header struct{ name, value []byte }

// contentPolicy allows our own files and nothing else; no inline code (row 68).
var contentPolicy = strings.Join([]string{
	"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:",
	"connect-src 'self'", "manifest-src 'self'", "form-action 'self'", "base-uri 'none'",
	"frame-ancestors 'none'", "object-src 'none'",
}, "; ")

const (
	permissionsPolicy = "Permissions-Policy"
	deniedElsewhere   = "geolocation=(), microphone=(), payment=(), usb=()"
)

// mayUseCamera says which page of the front end may ask for the camera: the one that tries it (frontend/src/screens/fix).
// A page keeps what it was opened with, so that one is always opened anew, and left by a new page.
func mayUseCamera(address string) bool {
	return strings.TrimSuffix(address, "/") == "/fix/scan"
}

// headersOfEveryAnswer are the same for every answer, errors included (rows 68
// and 69). There is none of CORS: no other origin may read anything (row 70).
func headersOfEveryAnswer(https bool, version string) []header {
	all := []header{
		line("Content-Security-Policy", contentPolicy),
		line("X-Content-Type-Options", "nosniff"),
		line("Referrer-Policy", "no-referrer"),
		line("Cross-Origin-Opener-Policy", "same-origin"),
		line("Cross-Origin-Resource-Policy", "same-origin"),
		line(permissionsPolicy, "camera=(), "+deniedElsewhere),
	}
	if version != "" {
		all = append(all, line("Secondstep-Version", version))
	}
	if https {
		// For this host alone: what runs on its sub-domains is not ours to say.
		all = append(all, line("Strict-Transport-Security", "max-age=31536000"))
	}
	return all
}

func line(name, value string) header { return header{[]byte(name), []byte(value)} }

// dress puts on what every answer has.
func (a *API) dress(fctx *requestCtx, r *request) {
	h := &fctx.Response.Header
	for i := range a.headers {
		h.SetCanonical(a.headers[i].name, a.headers[i].value)
	}
	h.Set("Request-Id", r.id)
}
