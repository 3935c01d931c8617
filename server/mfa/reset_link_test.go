package mfa_test

import (
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

func TestResetLinks(t *testing.T) {
	rows{{"the link without the password opens nothing", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "link-only")
		token := h.reset(t)
		stranger := in.Browser(servertest.Safari)
		give(stranger, token).Refused(401, "not_signed_in")
		stranger.Do("POST", "/api/v1/sign-in", body{"email": h.email, "password": "not the password at all"}).Refused(401, "bad_credentials")
		give(stranger, token).Refused(401, "not_signed_in")
		for _, cookie := range []string{servertest.SessionCookie, servertest.PendingCookie} {
			answer := in.Holding(cookie, token).Do("POST", linkPath, body{"token": token})
			if answer.Status == 200 {
				t.Errorf("the link as %s opened something", cookie)
			}
		}
		give(h.password(t), token).Want(200) // it was good all the time
	}}, {"twice, and after a later sign-in", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "twice")
		token := h.reset(t)
		give(h.password(t), token).Want(200)
		give(h.password(t), token).Refused(410, "enrolment_link_expired")
	}}, {"row 80: at once, in one place and in several", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "race")
		token := h.reset(t)
		browsers := make([]*servertest.Client, 12)
		for n := range browsers {
			browsers[n] = h.password(t)
		}
		in.Only(200, in.Race(12, browsers[0], func(n int, _ *servertest.Client) (*servertest.Answer, error) {
			return browsers[n].On(in.On(n)).Try("POST", linkPath, body{"token": token})
		}))
		token = h.reset(t)
		browser := h.password(t)
		in.Only(200, in.Race(4, browser, post(linkPath, body{"token": token})))
		if open := in.Column("SELECT id FROM sessions WHERE user_id = ?", h.id); len(open) != 1 {
			t.Errorf("%d sessions", len(open))
		}
	}}, {"for 72 hours", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "hours")
		token := h.reset(t)
		in.Clock.Advance(72*time.Hour - 2*time.Minute)
		late := h.password(t)
		in.Clock.Advance(2 * time.Minute)
		give(late, token).Refused(410, "enrolment_link_expired")
		if _, err := in.First().Upkeep.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if h.links() != 0 {
			t.Error("it was not pruned")
		}
	}}, {"not for anybody else", func(t *testing.T, in *servertest.Installation) {
		a, b := help(in, "first"), help(in, "second")
		ofA, ofB := a.reset(t), b.reset(t)
		give(a.password(t), ofB).Refused(410, "enrolment_link_expired")
		give(b.password(t), ofB).Want(200) // and it is not spent by that
		other := in.Browser(servertest.Safari)
		other.Password("boss-" + a.email).Want(200)
		give(other, ofA).Refused(410, "enrolment_link_expired")
		give(a.password(t), ofA).Want(200)
	}}, {"a newer one voids it", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "newer")
		older := h.reset(t)
		enrolling := h.password(t)
		give(enrolling, older).Want(200)
		begin(in, enrolling, nil)
		newer := h.reset(t)
		enrolling.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended") // what the older one has opened ends
		browser := h.password(t)
		give(browser, older).Refused(410, "enrolment_link_expired")
		give(browser, newer).Want(200)
		wantStored(t, in, h.email, "off apps:1 sets:active enrolments:")
		// 2-step verification went off once, however many links were made.
		for _, kind := range []string{"mfa.reset", "enrolment_link.renewed"} {
			if events := in.Column("SELECT id FROM events WHERE kind = ? AND subject_id = ?", kind, h.id); len(events) != 1 {
				t.Errorf("%d events %s", len(events), kind)
			}
		}
	}}, {"five tries a sign-in, and the owner keeps theirs", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "tries")
		token := h.reset(t)
		thief := h.password(t)
		for range 5 {
			give(thief, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").Refused(410, "enrolment_link_expired")
		}
		if why := give(thief, token).Diagnosed("too_many_attempts"); why["start_again"] != true {
			t.Errorf("%v", why)
		}
		for range 12 {
			give(h.password(t), "not a link").Refused(410, "enrolment_link_expired")
		}
		give(h.password(t), token).Want(200)
	}}, {"not while the account is closed", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "closed")
		token := h.reset(t)
		browser := h.password(t)
		in.Change("UPDATE users SET disabled_at = 1 WHERE id = ?", h.id)
		give(browser, token).Diagnosed("sign_in_expired")
		if h.links() != 1 {
			t.Error("it was spent")
		}
	}}, {"row 55: made from the public URL alone", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "headers")
		for name, value := range map[string]string{"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"} {
			h.boss.Header.Set(name, value)
		}
		link := h.boss.Do("POST", h.security+"/reset", h.asks()).Want(200).Text("enrolment_link")
		if !strings.HasPrefix(link, in.First().URL+"/enrol#token=") {
			t.Error(link)
		}
	}}}.onBoth(t)
}
