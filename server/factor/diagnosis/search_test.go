package diagnosis

import (
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/factor/totp"
)

// Row 14: whatever is known and whatever the browser says, a step is accepted within the window and nowhere else, and of
// a secret that may prove something and of no other.
func TestNothingOutsideTheWindowIsAccepted(t *testing.T) {
	secrets := []Secret{phone(), tablet(), newPhone(), oldPhone(), olderPhone()}
	for i := range secrets {
		secrets[i].LastStep = 0
	}
	for _, enrolling := range []string{"", "new"} {
		for window := int64(0); window <= 1; window++ {
			for _, secret := range secrets {
				may := secret.State == Active && enrolling == "" || secret.ID == enrolling
				for distance := int64(-60); distance <= 60; distance++ {
					got := Examine(Question{
						Code: of(secret, distance), Now: now, Window: window, Secrets: secrets, Enrolling: enrolling,
						BrowserID: here, BrowserNow: now.Add(time.Duration(distance) * totp.Period * time.Second),
					})
					want := may && abs(distance) <= window
					if (got.Match != nil) != want || (got.Diagnosis == nil) != want {
						t.Fatalf("%s at %+d, window %d, enrolling %q: %+v", secret.ID, distance, window, enrolling, got.Match)
					}
					if want && (*got.Match != Match{secret.ID, present + distance} || got.Burn != nil) {
						t.Fatalf("%s at %+d: %+v, burned %+v", secret.ID, distance, got.Match, got.Burn)
					}
					// Of an app in use also what is good right now, where another is enrolled: that answer is no oracle.
					burns := distance > window && secret.State != Retired || enrolling != "" && secret.State == Active && distance >= -window
					if seen := !want && got.Diagnosis.Reason != WrongCode; (got.Burn != nil) != (burns && seen) {
						t.Fatalf("%s at %+d, window %d: burned %+v", secret.ID, distance, window, got.Burn)
					}
				}
			}
		}
	}
}

// A step is accepted once, and never after a later one (row 11).
func TestNothingSpentOrOlderIsAccepted(t *testing.T) {
	for last := int64(-3); last <= 3; last++ {
		for distance := int64(-1); distance <= 1; distance++ {
			q := Question{Code: of(phone(), distance), Now: now, Window: 1, Secrets: []Secret{at(phone(), last, nil)}}
			if got := Examine(q); (got.Match != nil) != (distance > last) {
				t.Errorf("step %+d after %+d: %+v", distance, last, got.Match)
			}
			q.Secrets[0].Spent[present+distance] = Spent{At: morning}
			if got := Examine(q); got.Match != nil || got.Diagnosis.Reason != AlreadyUsed {
				t.Errorf("step %+d after %+d, spent: %+v", distance, last, got)
			}
		}
	}
}

// A code typed ahead of its time is burned: it is refused when its time comes, and no other code is.
func TestOnlyTheBurnedStepSuffers(t *testing.T) {
	mine := phone()
	first := Examine(Question{Code: of(mine, 5), Now: now, Window: 1, Secrets: []Secret{mine}, BrowserID: there})
	if first.Burn == nil || *first.Burn != (Burn{"phone", present + 5}) || first.Diagnosis.Reason != ClockAhead {
		t.Fatalf("%+v", first)
	}
	mine.Spent = map[int64]Spent{first.Burn.Step: {At: now, Browser: "Chrome on Windows", BrowserID: there, Burned: true}}
	for later := int64(-2); later <= 10; later++ {
		for distance := int64(-1); distance <= 1; distance++ {
			step := later + distance
			got := Examine(Question{
				Code: of(mine, step), Now: now.Add(time.Duration(later) * totp.Period * time.Second), Window: 1,
				Secrets: []Secret{mine}, BrowserID: here,
			})
			if step == 5 {
				if got.Match != nil || got.Diagnosis.Reason != AlreadyUsed || *got.Diagnosis.UsedHere || got.Burn != nil {
					t.Errorf("the burned step, %d steps later: %+v", later, got)
				}
			} else if got.Match == nil || got.Match.Step != present+step {
				t.Errorf("step %+d, %d steps later: %+v", step, later, got)
			}
		}
	}
}

// One code may be of several secrets or steps. The moments were found by searching: at each, the two codes are equal.
func TestOfSeveralMatches(t *testing.T) {
	idle := func(s Secret) Secret { s.LastStep = 0; return s }
	gone := func(s Secret, step int64) Secret { s.Spent = map[int64]Spent{step: {At: morning}}; return s }
	for _, c := range []struct {
		name      string
		at        int64
		one       Secret
		oneAt     int64
		other     Secret
		otherAt   int64
		more      []Secret
		enrolling string
		match     *Match
		reason    Reason
		offset    int
		old       string
	}{
		{
			name: "the app last used, though the other is nearer", at: 60138843,
			one: phone(), oneAt: -10, other: tablet(), otherAt: -3, reason: ClockBehind, offset: -300,
		}, {
			name: "then the nearest step", at: 59037269, more: []Secret{phone()},
			one: tablet(), oneAt: -12, other: newPhone(), otherAt: -4, reason: SetupNotFinished,
		}, {
			name: "then older setups, however near", at: 59520574, more: []Secret{phone()},
			one: tablet(), oneAt: -15, other: oldPhone(), otherAt: 0, reason: ClockBehind, offset: -450,
		}, {
			name: "of older setups the nearest step", at: 61128855, more: []Secret{phone()},
			one: oldPhone(), oneAt: -18, other: olderPhone(), otherAt: 6, reason: PreviousSetup, old: olderPhone().Label,
		}, {
			name: "enrolling: the new app, though the other is nearer", at: 59255336, enrolling: "new",
			one: newPhone(), oneAt: -9, other: phone(), otherAt: 0, reason: ClockBehind, offset: -270,
		}, {
			name: "accepted: the app last used, though the other is nearer", at: 59391652,
			one: phone(), oneAt: -1, other: tablet(), otherAt: 0, match: &Match{"phone", 59391652 - 1},
		}, {
			name: "accepted: the other, where the app last used has spent it", at: 60282954,
			one: gone(phone(), 60282954), oneAt: 0, other: tablet(), otherAt: 0, match: &Match{"tablet", 60282954},
		}, {
			name: "accepted: the nearest step of one app", at: 59427075,
			one: phone(), oneAt: -1, other: phone(), otherAt: 0, match: &Match{"phone", 59427075},
		}, {
			name: "accepted: the nearest step, though another is later", at: 59427074,
			one: phone(), oneAt: 0, other: phone(), otherAt: 1, match: &Match{"phone", 59427074},
		}, {
			name: "accepted: of two equally near the later", at: 59241009,
			one: phone(), oneAt: -1, other: phone(), otherAt: 1, match: &Match{"phone", 59241009 + 1},
		}, {
			name: "accepted: the earlier, where the later is burned", at: 59241009,
			one: gone(phone(), 59241009+1), oneAt: -1, other: gone(phone(), 59241009+1), otherAt: 1, match: &Match{"phone", 59241009 - 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			code := totp.Code(c.one.Key, c.at+c.oneAt)
			if code != totp.Code(c.other.Key, c.at+c.otherAt) {
				t.Fatal("the codes differ")
			}
			secrets := append([]Secret{idle(c.one)}, c.more...)
			if c.other.ID != c.one.ID {
				secrets = append(secrets, idle(c.other))
			}
			for range 2 { // in either order
				got := Examine(Question{
					Code: code, Now: totp.Begin(c.at).Add(time.Second), Window: 1, Secrets: secrets, Enrolling: c.enrolling, BrowserID: here,
				})
				if asJSON(t, got.Match) != asJSON(t, c.match) {
					t.Errorf("matched %+v", got.Match)
				}
				if d := got.Diagnosis; c.match == nil && (d.Reason != c.reason || d.OldLabel != c.old ||
					(c.offset != 0) != (d.OffsetSeconds != nil) || c.offset != 0 && *d.OffsetSeconds != c.offset) {
					t.Errorf("%s", asJSON(t, d))
				}
				for i, j := 0, len(secrets)-1; i < j; i, j = i+1, j-1 {
					secrets[i], secrets[j] = secrets[j], secrets[i]
				}
			}
		})
	}
}

// While a confirmed app waits for its backup codes to be saved it may be known twice, as active and as pending.
func TestAnAppKnownTwice(t *testing.T) {
	pending := newPhone()
	active := pending
	active.State = Active
	for _, secrets := range [][]Secret{{phone(), active, pending}, {pending, active, phone()}} {
		if got := Examine(Question{Code: of(active, 0), Now: now, Window: 1, Secrets: secrets}); got.Match == nil || got.Match.SecretID != "new" {
			t.Errorf("%+v", got)
		}
		if got := Examine(Question{Code: of(active, -5), Now: now, Window: 1, Secrets: secrets}); got.Diagnosis == nil || got.Diagnosis.Reason != ClockBehind {
			t.Errorf("%+v", got)
		}
		if got := Examine(Question{Code: of(active, 0), Now: now, Window: 1, Secrets: secrets, Enrolling: "new"}); got.Match == nil {
			t.Errorf("%+v", got)
		}
	}
}

// What is asked about is not changed.
func TestTheQuestionStaysAsItWas(t *testing.T) {
	secrets := []Secret{oldPhone(), tablet(), phone()}
	before := asJSON(t, secrets)
	Examine(Question{Code: of(phone(), 3), Now: now, Window: 1, Secrets: secrets})
	if after := asJSON(t, secrets); after != before {
		t.Errorf("%s became %s", before, after)
	}
}

// The dearest answer, with as many secrets as a person usually has at most: one app and five older setups.
func BenchmarkWrongCode(b *testing.B) {
	secrets := []Secret{phone()}
	for _, name := range []string{"1", "2", "3", "4", "5"} {
		old := oldPhone()
		old.ID, old.Key = name, key(name)
		secrets = append(secrets, old)
	}
	q := Question{Code: of(phone(), 25), Now: now, Window: 1, Secrets: secrets}
	for b.Loop() {
		if got := Examine(q); got.Diagnosis.Reason != WrongCode {
			b.Fatal(got.Diagnosis.Reason)
		}
	}
}

func BenchmarkRightCode(b *testing.B) {
	q := Question{Code: of(phone(), 0), Now: now, Window: 1, Secrets: []Secret{phone()}}
	for b.Loop() {
		if Examine(q).Match == nil {
			b.Fatal("refused")
		}
	}
}
