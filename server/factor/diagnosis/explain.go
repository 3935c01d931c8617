package diagnosis

import (
	"bytes"
	"math"
	"time"

	"github.com/secondstep/secondstep/server/factor/totp"
)

// The browser's clock is a third witness: when it is as far from ours as the phone's, to within a minute, ours may be
// the wrong one. A minute is also the least that is worth saying it for: less is a slow hand.
const (
	witnessAgrees = 60 * time.Second
	leastSuspect  = 60 * time.Second
)

// explain turns what was found, none of which can be accepted, into a refusal.
func (s *search) explain(h hit) *Diagnosis {
	switch {
	case h.secret.State == Retired:
		return &Diagnosis{
			Reason: PreviousSetup, ReplacedAt: moment(h.secret.RetiredAt), SetupState: h.secret.Why,
			OldLabel: h.secret.Label, SetupLabel: s.lookFor(),
		}
	case s.accepts(h.secret):
		return s.explainOwn(h)
	case h.secret.State == Pending:
		return &Diagnosis{Reason: SetupNotFinished, SetupLabel: h.secret.Label}
	default: // an app that works, while another one is being enrolled
		return &Diagnosis{Reason: PreviousSetup, SetupState: InUse, OldLabel: h.secret.Label, SetupLabel: s.lookFor()}
	}
}

// explainOwn is about a code of the right app.
func (s *search) explainOwn(h hit) *Diagnosis {
	if spent, gone := h.secret.fate(h.step); gone {
		d := &Diagnosis{Reason: AlreadyUsed, NextCodeInSeconds: s.nextCode(h.secret)}
		here := s.q.BrowserID != nil && bytes.Equal(spent.BrowserID, s.q.BrowserID)
		d.UsedHere = &here
		if !here {
			d.UsedAt, d.UsedBrowser = moment(spent.At), spent.Browser
		}
		return d
	}
	if abs(h.distance) <= s.q.Window {
		return &Diagnosis{Reason: OlderThanLast, NextCodeInSeconds: s.nextCode(h.secret)}
	}
	d := &Diagnosis{Reason: ClockBehind}
	if h.distance > 0 {
		d.Reason = ClockAhead
	}
	phone := time.Duration(h.distance) * totp.Period * time.Second
	seconds := int(phone / time.Second)
	d.OffsetSeconds = &seconds
	if !s.q.BrowserNow.IsZero() && phone.Abs() >= leastSuspect {
		browser := s.q.BrowserNow.Sub(s.q.Now)
		d.ServerClockSuspect = (browser - phone).Abs() <= witnessAgrees
	}
	return d
}

// burn is the step to be burned: one that was recognised beyond the window in the future, and could be accepted when its
// time comes. A retired secret's never can, and one that is spent needs no burning. A code of an app that works, typed
// where another is being enrolled, is burned in the window too: else that answer, which counts under another budget,
// would tell whoever guesses that the code is good for signing in.
func (s *search) burn(h hit) *Burn {
	least := s.q.Window + 1
	if h.secret.State == Active && !s.accepts(h.secret) {
		least = -s.q.Window
	}
	if h.secret.State == Retired || h.distance < least || h.secret.spent(h.step) {
		return nil
	}
	return &Burn{SecretID: h.secret.ID, Step: h.step}
}

// nextCode is in how many seconds the app shows the next code that can be accepted, at least 1. That is one of a later
// period than the present one, whose code a phone that is a little behind does not show yet, and one that is neither
// before the last step nor spent.
func (s *search) nextCode(secret *Secret) *int {
	step := max(s.now, secret.LastStep) + 1
	for secret.spent(step) {
		step++
	}
	seconds := int(math.Ceil(totp.Begin(step).Sub(s.q.Now).Seconds())) // the step is yet to come, so more than 0
	return &seconds
}

// lookFor is the label of the entry that codes should come from; empty when there is none.
func (s *search) lookFor() string {
	if s.first == nil {
		return ""
	}
	return s.first.Label
}

// others are the labels of the further apps that may be used.
func (s *search) others() (labels []string) {
	for n := range s.q.Secrets {
		if one := &s.q.Secrets[n]; s.accepts(one) && s.first != nil && one.ID != s.first.ID && one.Label != "" {
			labels = append(labels, one.Label)
		}
	}
	return labels
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
