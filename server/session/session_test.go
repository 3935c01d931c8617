package session_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/servertest"
	"github.com/secondstep/secondstep/server/web"
)

const sessionPath = "/api/v1/session"

func alive(t *testing.T, browser *servertest.Client) *servertest.Answer {
	t.Helper()
	return browser.Do("GET", sessionPath, nil).Want(http.StatusOK)
}

func dead(t *testing.T, browser *servertest.Client) {
	t.Helper()
	browser.Do("GET", sessionPath, nil).Refused(http.StatusUnauthorized, "session_ended")
}

func signedIn(in *servertest.Installation, email string) *servertest.Client {
	browser := in.Browser(servertest.Firefox)
	browser.Password(email).Want(http.StatusOK)
	return browser
}

func TestRow30OnlyTheHashOfATokenIsStored(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "member")
		browser := in.SignedIn("ada@example.test", ada, servertest.Firefox)
		pending := signedIn(in, "ada@example.test")
		for _, kind := range []struct {
			cookie, table string
			value         string
			refused       func(t *testing.T, thief *servertest.Client)
		}{
			{servertest.SessionCookie, "sessions", browser.Cookie(servertest.SessionCookie), dead},
			{servertest.PendingCookie, "pending_sign_ins", pending.Cookie(servertest.PendingCookie), func(t *testing.T, thief *servertest.Client) {
				t.Helper()
				thief.Code(ada.Code()).Diagnosed("sign_in_expired")
			}},
		} {
			t.Run(kind.table, func(t *testing.T) {
				token, err := base64.RawURLEncoding.DecodeString(kind.value)
				if err != nil || len(token) != 32 {
					t.Fatalf("a token of %d bytes (%v)", len(token), err)
				}
				stored := in.Column("SELECT token_hash FROM " + kind.table)
				if hash := sha256.Sum256(token); len(stored) != 1 || stored[0] != string(hash[:]) {
					t.Errorf("%d rows, and not the hash of the token", len(stored))
				}
				for name, value := range map[string]string{
					"the stored value": base64.RawURLEncoding.EncodeToString([]byte(stored[0])),
					"its id":           base64.RawURLEncoding.EncodeToString([]byte(in.Column("SELECT id FROM " + kind.table)[0] + "000000")),
					"another spelling": kind.value + "=",
					"cut":              kind.value[:40],
					"nothing real":     "x",
				} {
					t.Run(name, func(t *testing.T) { kind.refused(t, in.Holding(kind.cookie, value)) })
				}
			})
		}
		t.Run("every one is another", func(t *testing.T) {
			seen := map[string]bool{}
			in.AddPerson("Bob", "bob@example.test", "member")
			for range 20 {
				value := signedIn(in, "bob@example.test").Cookie(servertest.SessionCookie)
				if seen[value] {
					t.Fatal("the same token twice")
				}
				seen[value] = true
			}
		})
	})
}

// A request with a token that has been replaced while it was on its way must not take the session along.
func TestRow31OnlyTheTokenThatIsGoodRises(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Ada", "ada@example.test", "member")
		browser := signedIn(in, "ada@example.test")
		room, db := in.First().SignIn.Sessions, in.First().Database
		token, err := base64.RawURLEncoding.DecodeString(browser.Cookie(servertest.SessionCookie))
		if err != nil {
			t.Fatal(err)
		}
		onItsWay, err := room.Session(t.Context(), token)
		if err != nil || onItsWay == nil {
			t.Fatal(onItsWay, err)
		}
		browser.Prove("").Want(http.StatusOK) // the session has another token now
		err = db.Write(t.Context(), func(ctx context.Context, tx database.Tx) error {
			_, rises := room.Rise(ctx, tx, onItsWay, web.Password)
			_, rekeys := room.Rekey(ctx, tx, onItsWay)
			for _, err := range []error{rises, rekeys} {
				if problem.Of(err).Code != "session_ended" {
					t.Errorf("%v", err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		alive(t, browser)
	})
}

func TestRow31NewTokenAtEveryRise(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Ada", "ada@example.test", "member")
		in.Beside()
		planted := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
		browser := in.Browser(servertest.Firefox)
		browser.Plant(servertest.SessionCookie, planted)
		browser.Plant(servertest.PendingCookie, planted)
		dead(t, browser)

		was, id := planted, ""
		rises := func(name string, act func()) {
			t.Helper()
			act()
			now := browser.Cookie(servertest.SessionCookie)
			if now == "" || now == was {
				t.Errorf("%s: the token is the same", name)
			}
			dead(t, in.Holding(servertest.SessionCookie, was))
			was = now
			session := alive(t, browser)
			if id == "" {
				id = session.Text("id")
			}
			if session.Text("id") != id {
				t.Errorf("%s: another session", name)
			}
		}
		password := map[string]string{"password": servertest.Password}
		post := func(path string, body any) *servertest.Answer {
			return browser.Do("POST", path, body).Want(http.StatusOK)
		}
		rises("password", func() { browser.Password("ada@example.test").Want(http.StatusOK) })
		rises("proof by password", func() { browser.Prove("").Want(http.StatusOK) })
		begun := browser.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
		phone := in.Scan(begun.Text("secret"))
		rises("confirm", func() { browser.Confirm(begun.Text("id"), phone.Code()).Want(http.StatusOK) })
		rises("activate", func() { post(servertest.Enrolments+"/"+begun.Text("id")+"/activate", nil) })
		in.Clock.NextStep()
		rises("proof by the app", func() { browser.Prove(phone.Code()).Want(http.StatusOK) })
		codes := post(servertest.Security+"/backup-codes", password).Texts("backup_codes")
		rises("new backup codes", func() { post(servertest.Security+"/backup-codes/activate", nil) })
		rises("proof by a backup code", func() { browser.Prove(codes[0]).Want(http.StatusOK) })
		in.Clock.NextStep()
		rises("proof by the app again", func() { browser.Prove(phone.Code()).Want(http.StatusOK) })
		rises("disable", func() { post(servertest.Security+"/disable", password) })

		t.Run("from pending to signed in", func(t *testing.T) {
			in.Clock.NextStep()
			ada := in.Enrol(browser)
			own := in.Browser(servertest.Firefox)
			own.Plant(servertest.PendingCookie, planted)
			own.Code(ada.Code()).Diagnosed("sign_in_expired")
			own.Password("ada@example.test").Want(http.StatusOK)
			pending := own.Cookie(servertest.PendingCookie)
			own.Code(ada.Code()).Want(http.StatusOK)
			session := own.Cookie(servertest.SessionCookie)
			if pending == planted || session == planted || session == pending {
				t.Error("a token was adopted")
			}
			dead(t, in.Holding(servertest.SessionCookie, pending))
			dead(t, in.Holding(servertest.SessionCookie, planted))
			in.Holding(servertest.PendingCookie, planted).Code(ada.Code()).Diagnosed("sign_in_expired")
		})
	})
}

func TestRow32IdleAndAbsoluteLives(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Bob", "bob@example.test", "member")
		in.AddPerson("Ada", "ada@example.test", "administrator")
		in.Beside()
		for _, one := range []struct {
			email          string
			idle, absolute time.Duration
		}{
			{"bob@example.test", 30 * time.Minute, 12 * time.Hour},
			{"ada@example.test", 15 * time.Minute, 8 * time.Hour},
		} {
			t.Run("idle "+one.email, func(t *testing.T) {
				browser := signedIn(in, one.email)
				in.Clock.Advance(one.idle - time.Millisecond)
				alive(t, browser)
				in.Clock.Advance(one.idle - time.Millisecond) // a use begins it anew
				alive(t, browser)
				in.Clock.Advance(one.idle)
				dead(t, browser)
				dead(t, browser)
			})
			t.Run("absolute "+one.email, func(t *testing.T) {
				browser := signedIn(in, one.email)
				ends := in.Clock.Now().Add(one.absolute)
				for in.Clock.Now().Add(10 * time.Minute).Before(ends) {
					in.Clock.Advance(10 * time.Minute)
					if session := alive(t, browser); session.Text("expires_at") != ends.Format(time.RFC3339Nano) {
						t.Fatalf("expires at %s, not %s", session.Text("expires_at"), ends)
					}
				}
				browser.Prove("").Want(http.StatusOK) // nor does a new token move it
				in.Clock.Advance(ends.Sub(in.Clock.Now()) - time.Millisecond)
				alive(t, browser)
				in.Clock.Advance(time.Millisecond)
				dead(t, browser)
			})
		}
		t.Run("the shorter life of a role counts from the moment it is given", func(t *testing.T) {
			browser := signedIn(in, "bob@example.test")
			in.Change("UPDATE users SET role = 'administrator' WHERE email = 'bob@example.test'")
			in.Clock.Advance(15 * time.Minute)
			dead(t, browser)
			in.Change("UPDATE users SET role = 'member' WHERE email = 'bob@example.test'")
		})
		t.Run("upkeep deletes what is over and nothing else, once for all instances", func(t *testing.T) {
			in.Clock.Advance(24 * time.Hour)
			browser := signedIn(in, "bob@example.test")
			in.Clock.Advance(29 * time.Minute)
			var counting sync.Mutex
			done := map[string]int{}
			servertest.Together(6, func(n int) {
				jobs, err := in.On(n).Upkeep.Once(t.Context())
				if err != nil {
					t.Error(err)
				}
				counting.Lock()
				defer counting.Unlock()
				for _, job := range jobs {
					done[job]++
				}
			})
			if done["prune sessions"] != 1 {
				t.Errorf("sessions were pruned %d times", done["prune sessions"])
			}
			for job, times := range done {
				if times != 1 {
					t.Errorf("%s was done %d times", job, times)
				}
			}
			alive(t, browser)
			if kept := in.Column("SELECT id FROM sessions"); len(kept) != 1 {
				t.Errorf("%d sessions are kept", len(kept))
			}
		})
	})
}

func TestRow33SignOutIsSeenEverywhereAtOnce(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Bob", "bob@example.test", "member")
		in.Beside()
		one, other := in.On(0), in.On(1)
		browser, elsewhere := signedIn(in, "bob@example.test"), signedIn(in, "bob@example.test")
		stolen := in.Holding(servertest.SessionCookie, browser.Cookie(servertest.SessionCookie))
		alive(t, stolen.On(one))
		alive(t, stolen.On(other))
		browser.On(one).Do("DELETE", sessionPath, nil).Want(http.StatusNoContent)
		dead(t, stolen.On(other))
		dead(t, stolen.On(one))
		stolen.Do("DELETE", sessionPath, nil).Refused(http.StatusUnauthorized, "session_ended")
		if browser.Cookie(servertest.SessionCookie) != "" {
			t.Error("the cookie is still there")
		}
		browser.Do("GET", sessionPath, nil).Refused(http.StatusUnauthorized, "not_signed_in")
		alive(t, elsewhere)
		if ended := in.Column("SELECT reason FROM events WHERE kind = 'session.ended'"); !slices.Equal(ended, []string{"signed_out"}) {
			t.Errorf("events %v", ended)
		}
		t.Run("who is disabled is signed out on the next request", func(t *testing.T) {
			in.Change("UPDATE users SET disabled_at = 1")
			dead(t, elsewhere.On(one))
			dead(t, elsewhere.On(other))
		})
		t.Run("a restart ends no session", func(t *testing.T) {
			in.Change("UPDATE users SET disabled_at = NULL")
			for _, instance := range in.Instances {
				instance.Stop()
			}
			in.Instances = nil
			alive(t, elsewhere.On(in.Another()))
		})
	})
}

// held is what somebody may hold of a person's: another session, fresh and stale, and a pending sign-in.
type held struct {
	own, other *servertest.Client
	pending    *servertest.Client
	token      string
}

func TestRow35Cookies(t *testing.T) {
	for name, one := range map[string]struct {
		options servertest.Options
		prefix  string
		secure  bool
	}{
		"over https": {servertest.Options{PublicURL: "https://id.example.test"}, "__Host-", true},
		"over http":  {servertest.Options{}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
				in.AddPerson("Ada", "ada@example.test", "member")
				// The browsers of the kit keep no Secure cookie over http, so the cookies are carried by hand.
				jar := map[string]string{}
				var secrets []string
				var answers []*servertest.Answer
				do := func(method, path string, body any) *servertest.Answer {
					t.Helper()
					var carried []string
					for name, value := range jar {
						carried = append(carried, name+"="+value)
					}
					fresh := in.Browser(servertest.Firefox)
					if len(carried) > 0 {
						fresh.Header.Set("Cookie", strings.Join(carried, "; "))
					}
					answer := fresh.Do(method, path, body)
					answers = append(answers, answer)
					for _, line := range answer.Header["Set-Cookie"] {
						cookie, err := http.ParseSetCookie(line)
						if err != nil {
							t.Fatal(err)
						}
						kind := strings.TrimPrefix(cookie.Name, one.prefix+"secondstep_")
						site := map[string]http.SameSite{"session": http.SameSiteLaxMode, "pending": http.SameSiteStrictMode, "browser": http.SameSiteLaxMode}[kind]
						if site == 0 || cookie.SameSite != site || !cookie.HttpOnly || cookie.Secure != one.secure || cookie.Path != "/" || cookie.Domain != "" {
							t.Errorf("%s %s: %s", method, path, strings.Replace(line, cookie.Value, "VALUE", 1))
						}
						if kind != "browser" && cookie.MaxAge > 0 {
							t.Errorf("%s lives on in the browser: %d s", kind, cookie.MaxAge)
						}
						if cookie.Value == "" {
							delete(jar, cookie.Name)
							continue
						}
						jar[cookie.Name] = cookie.Value
						secrets = append(secrets, cookie.Value)
					}
					return answer
				}
				credentials := map[string]string{"email": "ada@example.test", "password": servertest.Password}
				password := map[string]string{"password": servertest.Password}
				do("POST", "/api/v1/sign-in", credentials).Want(http.StatusOK)
				do("GET", sessionPath, nil).Want(http.StatusOK)
				do("POST", sessionPath+"/proof", password).Want(http.StatusOK)
				begun := do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
				phone := in.Scan(begun.Text("secret"))
				do("POST", servertest.Enrolments+"/"+begun.Text("id")+"/confirm", map[string]string{"code": phone.Code()}).Want(http.StatusOK)
				do("POST", servertest.Enrolments+"/"+begun.Text("id")+"/activate", nil).Want(http.StatusOK)
				do("DELETE", sessionPath, nil).Want(http.StatusNoContent)
				in.Clock.NextStep()
				do("POST", "/api/v1/sign-in", credentials).Want(http.StatusOK)
				do("DELETE", "/api/v1/sign-in", nil).Want(http.StatusNoContent)
				do("POST", "/api/v1/sign-in", credentials).Want(http.StatusOK)
				do("POST", "/api/v1/sign-in/totp", map[string]string{"code": phone.Code()}).Want(http.StatusOK)
				do("POST", servertest.Security+"/disable", password).Want(http.StatusOK)
				do("GET", servertest.Security, nil).Want(http.StatusOK)

				// Session six times (sign-in, proof, confirm, activate, second step, disable), pending twice, browser once.
				if len(secrets) != 9 {
					t.Errorf("%d cookies with a value", len(secrets))
				}
				for _, secret := range secrets {
					for _, answer := range answers {
						if bytes.Contains(answer.Raw, []byte(secret)) || strings.Contains(answer.Header.Get("Location"), secret) {
							t.Error("a cookie's value is in an answer")
						}
					}
					for _, instance := range in.Instances {
						if strings.Contains(instance.Log.String(), secret) {
							t.Error("a cookie's value is in the log")
						}
					}
				}
			}, one.options)
		})
	}
}
