package webauthn_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

func number(n int64) string { return strconv.FormatInt(n, 10) }

func TestRow24AChallengeIsAnsweredOnceAndInTime(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		// A device without a counter, so that nothing but the challenge keeps two uses apart.
		h := holding(t, in, ada, "member", newDevice(t).but(func(d *device) { d.step = 0 }))
		in.Beside()
		t.Run("finished many times at once, one wins", func(t *testing.T) {
			browser := pending(in, ada)
			credential := h.get(signInOptions(t, browser))
			in.Only(http.StatusOK, in.For(t).Race(8, browser, func(_ int, browser *servertest.Client) (*servertest.Answer, error) {
				return browser.Try("POST", "/api/v1/sign-in/webauthn", body{"credential": credential})
			}))
		})
		t.Run("so does a proof", func(t *testing.T) {
			browser := h.signIn(t, in)
			credential := h.get(proofOptions(t, browser))
			in.Only(http.StatusOK, in.For(t).Race(8, browser, func(_ int, browser *servertest.Client) (*servertest.Answer, error) {
				return browser.Try("POST", "/api/v1/session/proof", body{"password": servertest.Password, "credential": credential})
			}))
			prove(h.signIn(t, in), credential).Diagnosed("challenge_expired")
		})
		t.Run("and a registration", func(t *testing.T) {
			browser := h.signIn(t, in)
			id, options := began(t, browser)
			credential := newDevice(t).create(options)
			in.Only(http.StatusCreated, in.For(t).Race(8, browser, func(_ int, browser *servertest.Client) (*servertest.Answer, error) {
				return browser.Try("POST", keysPath+"/"+id, body{"name": "", "credential": credential})
			}))
		})
		t.Run("the first answer ends it, however wrong", func(t *testing.T) {
			browser := pending(in, ada)
			credential := h.get(signInOptions(t, browser))
			giveIn(browser, with(credential, "signature", b64([]byte("not one")))).Diagnosed("security_key_refused")
			giveIn(browser, credential).Diagnosed("challenge_expired")

			browser = h.signIn(t, in)
			id, options := began(t, browser)
			created := newDevice(t).create(options)
			browser.Do("POST", keysPath+"/"+id, body{"name": "", "credential": body{}}).Refused(http.StatusUnprocessableEntity, "security_key_refused")
			browser.Do("POST", keysPath+"/"+id, body{"name": "", "credential": created}).Refused(http.StatusUnprocessableEntity, "challenge_expired")
		})
		t.Run("after five minutes it is over", func(t *testing.T) {
			browser := h.signIn(t, in)
			in.Clock.Advance(time.Millisecond)
			for _, late := range []struct {
				wait time.Duration
				ok   bool
			}{{5*time.Minute - time.Millisecond, true}, {5 * time.Minute, false}} {
				id, create := began(t, browser)
				get := proofOptions(t, browser)
				in.Clock.Advance(late.wait)
				if late.ok {
					prove(browser, h.get(get)).Want(http.StatusOK)
					browser.Do("POST", keysPath+"/"+id, body{"name": "", "credential": newDevice(t).create(create)}).Want(http.StatusCreated)
					continue
				}
				prove(browser, h.get(get)).Diagnosed("challenge_expired")
				browser.Do("POST", keysPath+"/"+id, body{"name": "", "credential": newDevice(t).create(create)}).Refused(http.StatusUnprocessableEntity, "challenge_expired")
			}
			in.Change("UPDATE webauthn_challenges SET expires_at = 1")
			if _, err := in.First().Upkeep.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
			rows(t, in, "webauthn_challenges", 0)
		})
		t.Run("begun on one instance, finished on another or after a restart", func(t *testing.T) {
			browser := pending(in, ada)
			options := signInOptions(t, browser.On(in.First()))
			var next *servertest.Instance
			if in.Postgres {
				next = in.On(1)
			} else {
				in.First().Stop()
				next = in.Another()
				in.Instances = in.Instances[len(in.Instances)-1:]
			}
			giveIn(browser.On(next), h.get(options)).Want(http.StatusOK)
		})
	}, withKeys)
}

func TestRow25AChallengeIsOfOnePersonPlaceAndCeremony(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		a, b := hold(t, in, ada, "member"), hold(t, in, ben, "member")
		in.Beside()
		t.Run("one of signing in or of proof registers nothing", func(t *testing.T) {
			browser := a.signIn(t, in)
			for _, other := range []*asked{signInOptions(t, pending(in, ada)), proofOptions(t, browser)} {
				id, _ := began(t, browser)
				browser.Do("POST", keysPath+"/"+id, body{"name": "", "credential": newDevice(t).create(other)}).
					Refused(http.StatusUnprocessableEntity, "security_key_refused")
			}
			for _, id := range in.Column("SELECT id FROM webauthn_challenges WHERE ceremony <> 'register'") {
				browser.Do("POST", keysPath+"/"+id, body{"name": "", "credential": newDevice(t).create(proofOptions(t, browser))}).
					Refused(http.StatusUnprocessableEntity, "challenge_expired")
			}
		})
		t.Run("one of registration, or of the other ceremony, proves nothing", func(t *testing.T) {
			browser := a.signIn(t, in)
			_, create := began(t, browser)
			prove(browser, a.get(create)).Diagnosed("challenge_expired")
			prove(browser, a.get(signInOptions(t, pending(in, ada)))).Diagnosed("challenge_expired")
			giveIn(pending(in, ada), a.get(proofOptions(t, browser))).Diagnosed("challenge_expired")
			giveIn(pending(in, ada), a.get(create)).Diagnosed("challenge_expired")
		})
		t.Run("another person's", func(t *testing.T) {
			theirs := pending(in, ben)
			options := signInOptions(t, theirs)
			giveIn(pending(in, ada), a.get(options)).Diagnosed("challenge_expired")
			giveIn(theirs, b.get(options)).Want(http.StatusOK) // and it was not taken away from them
			id, create := began(t, b.signIn(t, in))
			a.signIn(t, in).Do("POST", keysPath+"/"+id, body{"name": "", "credential": newDevice(t).create(create)}).
				Refused(http.StatusUnprocessableEntity, "challenge_expired")
		})
		t.Run("another session's, or another sign-in's", func(t *testing.T) {
			one, other := a.signIn(t, in), a.signIn(t, in)
			id, create := began(t, one)
			other.Do("POST", keysPath+"/"+id, body{"name": "", "credential": newDevice(t).create(create)}).Refused(http.StatusUnprocessableEntity, "challenge_expired")
			prove(other, a.get(proofOptions(t, one))).Diagnosed("challenge_expired")
			first, second := pending(in, ada), pending(in, ada)
			options := signInOptions(t, first)
			giveIn(second, a.get(options)).Diagnosed("challenge_expired")
			giveIn(first, a.get(options)).Want(http.StatusOK)
		})
		t.Run("one that nobody gave", func(t *testing.T) {
			options := signInOptions(t, pending(in, ada))
			for _, made := range []string{b64(make([]byte, 32)), "", "?", options.PublicKey.Challenge + "="} {
				options.PublicKey.Challenge = made
				giveIn(pending(in, ada), a.get(options)).Diagnosed("challenge_expired")
			}
		})
	}, withKeys)
}

func TestRow26OnlyForThisSite(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		h := hold(t, in, ada, "member")
		in.Beside()
		elsewhere := map[string]func(d *device){
			"another port":         func(d *device) { d.origin = "http://id.example.test:8081" },
			"no port":              func(d *device) { d.origin = "http://id.example.test" },
			"https":                func(d *device) { d.origin = "https://id.example.test:8080" },
			"a sibling":            func(d *device) { d.origin = "http://other.example.test:8080" },
			"a subdomain":          func(d *device) { d.origin = "http://a.id.example.test:8080" },
			"the parent":           func(d *device) { d.origin = "http://example.test:8080" },
			"in capitals":          func(d *device) { d.origin = "http://ID.example.test:8080" },
			"with a path":          func(d *device) { d.origin = site + "/" },
			"nowhere":              func(d *device) { d.origin = "null" },
			"another site's hash":  func(d *device) { d.rpID = "example.test" },
			"the origin as a hash": func(d *device) { d.rpID = site },
		}
		for name, change := range elsewhere {
			t.Run(name, func(t *testing.T) {
				in.Change("DELETE FROM second_step_tries")
				browser := pending(in, ada)
				giveIn(browser, h.device.but(change).get(signInOptions(t, browser))).Diagnosed("security_key_refused")
			})
		}
		browser := h.signIn(t, in)
		for name, change := range elsewhere {
			t.Run("added at "+name, func(t *testing.T) {
				add(t, browser, newDevice(t).but(change)).Refused(http.StatusUnprocessableEntity, "security_key_refused")
			})
		}
		t.Run("whatever the headers say", func(t *testing.T) {
			browser := pending(in, ada)
			for _, header := range []string{"X-Forwarded-Host", "X-Forwarded-Server", "X-Original-Host", "Forwarded"} {
				browser.Header.Set(header, map[bool]string{true: "host=evil.test;proto=https", false: "evil.test"}[header == "Forwarded"])
			}
			browser.Header.Set("X-Forwarded-Proto", "https")
			browser.Header.Set("X-Forwarded-Port", "443")
			options := signInOptions(t, browser)
			if options.PublicKey.RPID != "id.example.test" {
				t.Errorf("%+v", options)
			}
			evil := h.device.but(func(d *device) { d.origin, d.rpID = "https://evil.test", "evil.test" })
			giveIn(browser, evil.get(options)).Diagnosed("security_key_refused")
			giveIn(browser, h.get(signInOptions(t, browser))).Want(http.StatusOK)
		})
	}, withKeys)
}

func TestRow27AKeyIsOneOfThePersons(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		a, b := hold(t, in, ada, "member"), hold(t, in, ben, "member")
		in.Beside()
		t.Run("another person's is counted against whose sign-in it is", func(t *testing.T) {
			browser := pending(in, ada)
			giveIn(browser, b.get(signInOptions(t, browser))).Diagnosed("security_key_unknown")
			if counted := in.Column("SELECT user_id FROM second_step_tries WHERE failures = 1"); len(counted) != 1 || counted[0] != in.Column("SELECT id FROM users WHERE email = ?", ada)[0] {
				t.Errorf("%v", counted)
			}
		})
		t.Run("nor is it with the other's name or handle on it", func(t *testing.T) {
			browser := pending(in, ada)
			giveIn(browser, b.device.but(func(d *device) { d.id = a.device.id; d.handle = a.handle }).get(signInOptions(t, browser))).Diagnosed("security_key_refused")
			giveIn(browser, a.device.but(func(d *device) { d.handle = b.handle }).get(signInOptions(t, browser))).Diagnosed("security_key_refused")
		})
		t.Run("its id is added for nobody else, nor twice", func(t *testing.T) {
			for _, who := range []*holder{a, b} {
				add(t, who.signIn(t, in), newDevice(t).but(func(d *device) { d.id = a.device.id })).Refused(http.StatusConflict, "security_key_taken")
			}
			if reasons := in.Column("SELECT reason FROM events WHERE kind = 'factor.added' AND result = 'refused'"); strings.Join(reasons, " ") != "security_key_taken security_key_taken" {
				t.Errorf("%v", reasons)
			}
			rows(t, in, "webauthn_keys", 2)
			a.signIn(t, in)
		})
		t.Run("added many times at once, it is added once", func(t *testing.T) {
			for name, people := range map[string][]*holder{"by one person": {a, a}, "by two": {a, b}} {
				key := newDevice(t)
				browsers := []*servertest.Client{people[0].signIn(t, in)}
				if browsers = append(browsers, browsers[0]); people[0] != people[1] {
					browsers[1] = people[1].signIn(t, in)
				}
				var paths [4]string
				var credentials [4]any
				for n := range paths {
					id, options := began(t, browsers[n%2])
					paths[n], credentials[n] = keysPath+"/"+id, key.create(options)
				}
				var answers [4]*servertest.Answer
				servertest.Together(len(answers), func(n int) {
					answers[n], _ = browsers[n%2].On(in.On(n)).Try("POST", paths[n], body{"name": "", "credential": credentials[n]})
				})
				in.For(t).Only(http.StatusCreated, answers[:])
				if kept := in.Column("SELECT id FROM webauthn_keys WHERE id NOT IN (?, ?)", a.keyID, b.keyID); len(kept) != 1 {
					t.Errorf("%s: %d keys", name, len(kept))
				}
				in.Change("DELETE FROM webauthn_keys WHERE id NOT IN (?, ?)", a.keyID, b.keyID)
				in.Change("DELETE FROM webauthn_challenges")
			}
		})
		t.Run("people are known by a random handle", func(t *testing.T) {
			for _, who := range []*holder{a, b} {
				_, options := began(t, who.signIn(t, in))
				user := in.Column("SELECT id FROM users WHERE email = ?", who.email)[0]
				if options.PublicKey.User.ID != who.handle || len(who.handle) != 43 || who.handle == b64([]byte(user)) {
					t.Errorf("%q, at first %q", options.PublicKey.User.ID, who.handle)
				}
				if len(options.PublicKey.Exclude) != 1 || options.PublicKey.Exclude[0].ID != b64(who.device.id) {
					t.Errorf("%+v", options.PublicKey.Exclude)
				}
			}
			if a.handle == b.handle {
				t.Error("one handle for two")
			}
		})
	}, withKeys)
}

func TestRow28PresenceAndVerification(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		admin, member := hold(t, in, ada, "administrator"), hold(t, in, ben, "member")
		in.Beside()
		unverified := func(d *device) { d.flags &^= verified }
		absent := func(d *device) { d.flags &^= present }
		t.Run("an administrator's key must ask for its PIN", func(t *testing.T) {
			browser := pending(in, ada)
			options := signInOptions(t, browser)
			if options.PublicKey.UserVerification != "required" {
				t.Errorf("%+v", options)
			}
			giveIn(browser, admin.device.but(unverified).get(options)).Diagnosed("security_key_unverified")
			giveIn(browser, admin.get(signInOptions(t, browser))).Want(http.StatusOK)
			in.Clock.Advance(11 * time.Minute)
			prove(browser, admin.device.but(unverified).get(proofOptions(t, browser))).Diagnosed("security_key_unverified")
			requirement := "/api/v1/users/" + in.Column("SELECT id FROM users WHERE email = ?", ben)[0] + "/security/requirement"
			browser.Do("PUT", requirement, body{"requirement": "allowed"}).Refused(http.StatusForbidden, "fresh_proof_required")
			prove(browser, admin.get(proofOptions(t, browser))).Want(http.StatusOK)
			browser.Do("PUT", requirement, body{"requirement": "allowed"}).Want(http.StatusNoContent)
			add(t, browser, newDevice(t).but(unverified)).Refused(http.StatusUnprocessableEntity, "security_key_unverified")
		})
		t.Run("the flag counts as it was signed", func(t *testing.T) {
			browser := pending(in, ada)
			credential := admin.device.but(unverified).get(signInOptions(t, browser))
			data := admin.device.but(func(d *device) { d.count++ }).authenticatorData(present | verified)
			giveIn(browser, with(credential, "authenticatorData", b64(data))).Diagnosed("security_key_refused")
		})
		t.Run("a member's need not", func(t *testing.T) {
			browser := pending(in, ben)
			options := signInOptions(t, browser)
			if options.PublicKey.UserVerification != "preferred" {
				t.Errorf("%+v", options)
			}
			bare := member.device.but(unverified)
			giveIn(browser, bare.get(options)).Want(http.StatusOK)
			member.device.count = bare.count
		})
		t.Run("somebody must be there, always", func(t *testing.T) {
			browser := pending(in, ben)
			giveIn(browser, member.device.but(absent).get(signInOptions(t, browser))).Diagnosed("security_key_refused")
			browser = member.signIn(t, in)
			add(t, browser, newDevice(t).but(absent)).Refused(http.StatusUnprocessableEntity, "security_key_refused")
		})
		t.Run("having a key is no proof", func(t *testing.T) {
			browser := admin.signIn(t, in)
			in.Clock.Advance(11 * time.Minute)
			password := servertest.Password
			browser.Do("POST", "/api/v1/session/proof", body{"password": password, "method": "webauthn"}).Refused(http.StatusBadRequest, "unknown_field")
			browser.Do("POST", "/api/v1/session/proof", body{"password": password}).Refused(http.StatusUnprocessableEntity, "code_required")
			browser.Do("POST", "/api/v1/session/proof", body{"password": password, "credential": nil}).Refused(http.StatusUnprocessableEntity, "code_required")
			prove(browser, body{}).Diagnosed("security_key_refused")
			prove(browser, body{"id": b64(admin.device.id), "rawId": b64(admin.device.id), "type": "public-key"}).Refused(http.StatusUnprocessableEntity, "code_refused")
			browser.Do("POST", keysPath, nil).Refused(http.StatusForbidden, "fresh_proof_required")
		})
	}, withKeys)
}

func TestRow29ACounterThatDoesNotRise(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		single := hold(t, in, ada, "member")
		synced := holding(t, in, ben, "member", newDevice(t).but(func(d *device) { d.flags |= backupEligible }))
		in.Beside()
		stored := func(h *holder) string {
			return in.Column("SELECT CAST(sign_count AS TEXT) FROM webauthn_keys WHERE id = ?", h.keyID)[0]
		}
		warned := func(h *holder) bool {
			return len(in.Column("SELECT id FROM webauthn_keys WHERE id = ? AND clone_warned_at IS NOT NULL", h.keyID)) == 1
		}
		single.signIn(t, in)
		synced.signIn(t, in)
		single.signIn(t, in)
		synced.signIn(t, in)
		t.Run("of a key in one place is refused, and on record", func(t *testing.T) {
			if warned(single) {
				t.Fatal("warned of already")
			}
			for _, back := range []uint32{1, 2} { // as it was last, and before
				browser := pending(in, ada)
				old := single.device.but(func(d *device) { d.count -= back })
				giveIn(browser, old.get(signInOptions(t, browser))).Diagnosed("security_key_cloned")
			}
			if !warned(single) || stored(single) != "2" {
				t.Errorf("stored %s", stored(single))
			}
			if reasons := in.Column("SELECT reason FROM events WHERE kind = 'sign_in.second_step' AND result = 'refused'"); strings.Join(reasons, " ") != "security_key_cloned security_key_cloned" {
				t.Errorf("%v", reasons)
			}
			single.signIn(t, in)
		})
		t.Run("of one kept in several places is accepted, and on record", func(t *testing.T) {
			browser := pending(in, ben)
			giveIn(browser, synced.device.but(func(d *device) { d.count -= 2 }).get(signInOptions(t, browser))).Want(http.StatusOK)
			if !warned(synced) || stored(synced) != "2" {
				t.Errorf("stored %s", stored(synced))
			}
			if told := in.Column("SELECT reason FROM events WHERE kind = 'factor.suspect' AND method = 'webauthn'"); strings.Join(told, " ") != "security_key_cloned" {
				t.Errorf("%v", told)
			}
		})
		t.Run("of a clone that is used at the same time: one of them gets in", func(t *testing.T) {
			var browsers []*servertest.Client
			var credentials []any
			for range 2 {
				browser := pending(in, ada)
				clone := single.device.but(func(*device) {})
				browsers, credentials = append(browsers, browser), append(credentials, clone.get(signInOptions(t, browser)))
			}
			answers := make([]*servertest.Answer, 2)
			servertest.Together(2, func(n int) {
				answers[n], _ = browsers[n].On(in.On(n)).Try("POST", "/api/v1/sign-in/webauthn", body{"credential": credentials[n]})
			})
			in.For(t).Only(http.StatusOK, answers)
			in.For(t).Only(http.StatusUnprocessableEntity, answers).Diagnosed("security_key_cloned")
			single.device.count++
		})
		t.Run("a device without a counter is good again and again", func(t *testing.T) {
			plain := newDevice(t).but(func(d *device) { d.step = 0 })
			add(t, single.signIn(t, in), plain).Want(http.StatusCreated)
			for range 2 {
				browser := pending(in, ada)
				giveIn(browser, plain.get(signInOptions(t, browser))).Want(http.StatusOK)
			}
		})
		t.Run("where a key may be kept does not change", func(t *testing.T) {
			for _, h := range []*holder{single, synced} {
				browser := pending(in, h.email)
				giveIn(browser, h.device.but(func(d *device) { d.flags ^= backupEligible }).get(signInOptions(t, browser))).Diagnosed("security_key_refused")
			}
		})
	}, withKeys)
}
