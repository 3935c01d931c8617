package diagnosis

import (
	"cmp"
	"slices"

	"github.com/secondstep/secondstep/server/factor/totp"
)

// How far the search goes (guidance.md): 20 steps each way, then every quarter-hour up to 14 hours each way, one step
// to both sides of it. Time zones are whole quarter-hours apart, and the farthest is 14 hours from UTC.
const (
	nearSteps       = 20
	quarterHour     = 15 * 60 / totp.Period
	farQuarterHours = 14 * 4
	farWidth        = 1
)

// hit is a step of one of the person's secrets that has the code; distance is counted from now, minus is the past.
type hit struct {
	secret   *Secret
	step     int64
	distance int64
}

type search struct {
	q       Question
	now     int64
	secrets []*Secret // the first is the one the person is taken to mean: being enrolled, or the app last used
	first   *Secret   // nil when no secret may be accepted
}

func newSearch(q Question) *search {
	s := &search{q: q, now: totp.Step(q.Now)}
	for i := range q.Secrets {
		s.secrets = append(s.secrets, &q.Secrets[i])
	}
	// Acceptable ones first, the last used before the others; what follows keeps the order it was given in.
	slices.SortStableFunc(s.secrets, func(a, b *Secret) int {
		if by := cmp.Compare(s.rank(a), s.rank(b)); by != 0 {
			return by
		}
		return b.LastUsedAt.Compare(a.LastUsedAt)
	})
	if len(s.secrets) > 0 && s.accepts(s.secrets[0]) {
		s.first = s.secrets[0]
	}
	return s
}

// accepts says whether codes of the secret may be accepted at all, here.
func (s *search) accepts(secret *Secret) bool {
	if s.q.Enrolling != "" {
		return secret.State == Pending && secret.ID == s.q.Enrolling
	}
	return secret.State == Active
}

func (s *search) rank(secret *Secret) int {
	switch {
	case s.accepts(secret):
		return 0
	case secret.State != Retired:
		return 1
	}
	return 2
}

// acceptable is the step to be spent, if any: in the window, later than the last one, neither used nor burned. Of
// several it is the app last used, then the nearest step, and of two equally near the later, which ends the other.
func (s *search) acceptable() *Match {
	for _, secret := range s.secrets {
		if !s.accepts(secret) {
			continue
		}
		var best *hit
		for _, step := range totp.Match(secret.Key, s.q.Code, s.now-s.q.Window, s.now+s.q.Window) {
			if step <= secret.LastStep || secret.spent(step) {
				continue
			}
			h := hit{secret, step, step - s.now}
			if best == nil || abs(h.distance) <= abs(best.distance) {
				best = &h
			}
		}
		if best != nil {
			return &Match{SecretID: secret.ID, Step: best.step}
		}
	}
	return nil
}

// likeliest is where the code most likely comes from: the app last used (or being enrolled), then the nearest step of
// what the person has now, then older setups, again the nearest step first. Nil: from nowhere.
func (s *search) likeliest() *hit {
	var best *hit
	var bestKey [3]int64
	for i, secret := range s.secrets {
		group := int64(1)
		switch {
		case secret == s.first:
			group = 0
		case secret.State == Retired:
			group = 2
		}
		if best != nil && bestKey[0] < group {
			break // nothing after this one comes before what was found
		}
		for _, step := range s.reach(secret) {
			key := [3]int64{group, abs(step - s.now), int64(i)}
			if best == nil || slices.Compare(key[:], bestKey[:]) < 0 {
				best, bestKey = &hit{secret, step, step - s.now}, key
			}
		}
	}
	return best
}

// reach gives the steps of a secret that have the code, as far as the search goes.
func (s *search) reach(secret *Secret) []int64 {
	steps := totp.Match(secret.Key, s.q.Code, s.now-nearSteps, s.now+nearSteps)
	for quarters := int64(1); quarters <= farQuarterHours; quarters++ {
		for _, middle := range [2]int64{s.now - quarters*quarterHour, s.now + quarters*quarterHour} {
			steps = append(steps, totp.Match(secret.Key, s.q.Code, middle-farWidth, middle+farWidth)...)
		}
	}
	return steps
}

// fate is what became of a step that is gone. The last step accepted is gone, even where nothing more is known of it.
func (secret *Secret) fate(step int64) (Spent, bool) {
	if spent, gone := secret.Spent[step]; gone {
		return spent, true
	}
	if step == secret.LastStep && !secret.LastUsedAt.IsZero() {
		return Spent{At: secret.LastUsedAt}, true
	}
	return Spent{}, false
}

func (secret *Secret) spent(step int64) bool {
	_, gone := secret.fate(step)
	return gone
}

func abs(n int64) int64 { return max(n, -n) }
