package servertest

import (
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"testing"
)

// Browse opens a browser on servers that the test has started itself; its requests go to them in turn.
func Browse(t testing.TB, userAgent string, urls ...string) *Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Client{t: t, http: &http.Client{Jar: jar}, Header: http.Header{"User-Agent": {userAgent}}, urls: urls}
}

// Page stands for the built front end, for servers that the test starts itself.
func Page() fs.FS { return page }
