package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"
)

// tokenSize is the length of every token in bytes.
const tokenSize = 32

// browserCookieLife is 400 days, the most that browsers keep a cookie.
const browserCookieLife = 400 * 24 * time.Hour

type cookieNames struct{ session, pending, browser, visitor string }

// namesOfCookies: the __Host- prefix makes a browser insist on Secure, Path=/
// and no Domain, so that no neighbouring host can plant one (security.md row
// 35). It works over https only.
func namesOfCookies(https bool) cookieNames {
	prefix, below := "", ""
	if https {
		prefix, below = "__Host-", "__Secure-"
	}
	return cookieNames{prefix + "secondstep_session", prefix + "secondstep_pending", prefix + "secondstep_browser", below + "secondstep_visitor"}
}

// tokens are base64url without padding; Strict, so that a token has one spelling.
var tokenEncoding = base64.RawURLEncoding.Strict()

// SessionCookie carries the token of a session. It has no age of its own: the
// session's row has.
func (a *API) SessionCookie(token []byte) http.Cookie {
	return a.cookie(a.cookies.session, token, http.SameSiteLaxMode)
}

// ClearSession takes the session cookie away.
func (a *API) ClearSession() http.Cookie { return cleared(a.SessionCookie(nil)) }

// PendingCookie carries the token of a pending sign-in.
func (a *API) PendingCookie(token []byte) http.Cookie {
	return a.cookie(a.cookies.pending, token, http.SameSiteStrictMode)
}

// ClearPending takes the pending cookie away.
func (a *API) ClearPending() http.Cookie { return cleared(a.PendingCookie(nil)) }

// BrowserCookie carries the token by which a browser is known again. It opens
// nothing.
func (a *API) BrowserCookie(token []byte) http.Cookie {
	c := a.cookie(a.cookies.browser, token, http.SameSiteLaxMode) //nolint:gosec // see cookie
	c.MaxAge = int(browserCookieLife / time.Second)
	return c
}

// VisitorCookie carries the token of somebody who answered a question of ours without signing in, so that they answer it
// once. It is sent to the pages below path alone, opens nothing, and tells nobody who it was.
func (a *API) VisitorCookie(path string, token []byte) http.Cookie {
	c := a.cookie(a.cookies.visitor, token, http.SameSiteLaxMode) //nolint:gosec // see cookie
	c.Path, c.MaxAge = path, int(browserCookieLife/time.Second)
	return c
}

func (a *API) cookie(name string, token []byte, site http.SameSite) http.Cookie {
	//nolint:gosec // Secure follows the public URL: plain http is for the loopback
	return http.Cookie{Name: name, Value: tokenEncoding.EncodeToString(token),
		Path: "/", HttpOnly: true, Secure: a.https, SameSite: site}
}

func cleared(c http.Cookie) http.Cookie { //nolint:gosec // see cookie
	c.MaxAge = -1
	return c
}

// token reads the cookie of that name; sent says that there was one, and the
// token is nil when it was not of the right form.
func token(fctx *requestCtx, name string) (raw []byte, sent bool) {
	value := fctx.Request.Header.Cookie(name)
	if len(value) == 0 {
		return nil, false
	}
	if len(value) != base64.RawURLEncoding.EncodedLen(tokenSize) {
		return nil, true
	}
	raw = make([]byte, tokenSize)
	if n, err := tokenEncoding.Decode(raw, value); err != nil || n != tokenSize {
		return nil, true
	}
	return raw, true
}

// browserID is the SHA-256 of the browser cookie's token, nil without one.
func (a *API) browserID(fctx *requestCtx) []byte {
	raw, _ := token(fctx, a.cookies.browser)
	if raw == nil {
		return nil
	}
	sum := sha256.Sum256(raw)
	return sum[:]
}
