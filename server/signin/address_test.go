package signin_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

// from is a browser whose requests say that they come from there.
func from(in *servertest.Installation, forwarded ...string) *servertest.Client {
	browser := in.Browser(servertest.Firefox)
	browser.Header["X-Forwarded-For"] = forwarded
	return browser
}

var behindProxy = servertest.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}}

func TestRow45OutsiderCannotKeepTheOwnerOut(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "administrator")
		here := "192.0.2.0"
		session := from(in, here)
		session.Password("ada@example.test").Want(http.StatusOK)
		session.Code(ada.Code()).Want(http.StatusOK)
		in.Clock.NextStep()
		servertest.Together(12, func(n int) {
			attacker := from(in, fmt.Sprintf("192.0.2.%d", n))
			for range 6 {
				if _, err := attacker.Try("POST", "/api/v1/sign-in", map[string]string{"email": "ada@example.test", "password": wrongPassword}); err != nil {
					t.Error(err)
				}
			}
		})
		t.Run("the attackers are slowed", func(t *testing.T) {
			guess(from(in, here), "ada@example.test", servertest.Password).Refused(http.StatusTooManyRequests, "too_many_passwords")
		})
		t.Run("the owner signs in from elsewhere at once", func(t *testing.T) {
			owner := from(in, "198.51.100.7")
			owner.Password("ada@example.test").Want(http.StatusOK)
			owner.Code(ada.Code()).Want(http.StatusOK)
		})
		t.Run("who is signed in among the attackers goes on", func(t *testing.T) {
			session.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
			session.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
		})
		t.Run("another person's password from there is not slowed", func(t *testing.T) {
			in.AddPerson("Bob", "bob@example.test", "member")
			from(in, here).Password("bob@example.test").Want(http.StatusOK)
		})
	}, behindProxy)
}

func TestRow46ClientAddressBehindAProxy(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id := in.AddPerson("Bob", "bob@example.test", "member")
		for name, one := range map[string]struct {
			same  []([]string) // X-Forwarded-For of one network, however it is written
			other []string     // and of another one
			seen  string       // as it stands in the events
		}{
			"what a client writes before the proxy's entry means nothing": {
				[][]string{{"203.0.113.1"}, {"1.1.1.1, 203.0.113.1"}, {"2.2.2.2,3.3.3.3,203.0.113.1"}, {"9.9.9.9", "203.0.113.1"}, {"no address, 203.0.113.1"}},
				[]string{"203.0.113.1, 203.0.113.2"}, "203.0.113.1",
			},
			"trusted proxies are walked over from the right": {
				[][]string{{"203.0.113.3, 10.1.2.3"}, {"203.0.113.3", "10.1.2.3, 10.9.9.9"}, {"6.6.6.6, 203.0.113.3, 10.0.0.1"}, {"203.0.113.3"}, {"::ffff:203.0.113.3"}},
				[]string{"203.0.113.4, 10.1.2.3"}, "203.0.113.3",
			},
			"IPv6 counts by /64": {
				[][]string{{"2001:db8:1:2::1"}, {"2001:db8:1:2::2"}, {"2001:db8:1:2:ffff:ffff:ffff:ffff"}, {"[2001:db8:1:2::9]:443"}, {"2001:db8:1:2::1"}},
				[]string{"2001:db8:1:3::1"}, "2001:db8:1:2::1",
			},
		} {
			t.Run(name, func(t *testing.T) {
				for _, forwarded := range one.same {
					guess(from(in, forwarded...), "bob@example.test", wrongPassword).Refused(http.StatusUnauthorized, "bad_credentials")
				}
				for _, forwarded := range one.same {
					guess(from(in, forwarded...), "bob@example.test", wrongPassword).Refused(http.StatusTooManyRequests, "too_many_passwords")
				}
				guess(from(in, one.other...), "bob@example.test", servertest.Password).Want(http.StatusOK)
				if addresses := in.Column("SELECT DISTINCT address FROM events WHERE subject_id = ?", id); !slices.Contains(addresses, one.seen) {
					t.Errorf("events from %v, want %s", addresses, one.seen)
				}
			})
		}
	}, behindProxy)
}

func TestRow46HeadersOfAnUntrustedPeerMeanNothing(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Bob", "bob@example.test", "member")
		for n := range 12 {
			browser := from(in, fmt.Sprintf("203.0.113.%d", n))
			for _, name := range []string{"X-Real-Ip", "Forwarded", "Cf-Connecting-Ip", "True-Client-Ip", "X-Client-Ip", "X-Forwarded"} {
				browser.Header.Set(name, fmt.Sprintf("203.0.113.%d", n))
			}
			answer := guess(browser, "bob@example.test", wrongPassword)
			if n < 5 {
				answer.Refused(http.StatusUnauthorized, "bad_credentials")
			} else {
				answer.Refused(http.StatusTooManyRequests, "too_many_passwords")
			}
		}
		if addresses := in.Column("SELECT DISTINCT address FROM events"); !slices.Equal(addresses, []string{"127.0.0.1"}) {
			t.Errorf("events from %v", addresses)
		}
	})
}
