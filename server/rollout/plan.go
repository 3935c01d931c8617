package rollout

import (
	"slices"
	"strings"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mfa"
	"github.com/secondstep/secondstep/server/problem"
)

// Kinds of what is done to many people.
const (
	kindRequirement = "requirement" // a requirement for a selection
	kindRollOut     = "roll_out"    // 2-step verification is asked of many, with a message, and never less strictly than before
	kindReminder    = "reminder"
)

// Why somebody is left out, beside the codes of mfa's refusals.
const (
	leftOff      = "off"      // a roll-out asks nothing of those to whom it is forbidden for a reason
	leftRemoved  = "removed"  // they were chosen, and are gone
	leftReminded = "reminded" // within the last 24 hours
	leftInvited  = "invited"  // they have not joined, so there is nothing for them to open yet
)

// mostMessage is how many characters a message has.
const mostMessage = 1000

// plan is what is to be asked, and of whom.
type plan struct {
	kind    string
	by      string   // the id of whoever asks it
	ids     []string // those who were chosen by hand, ascending; nil: those who match
	match   account.Query
	asks    mfa.Requirement
	message []string
}

// check refuses what nobody can be asked.
func (p *plan) check(now time.Time) error {
	p.asks.Reason = strings.TrimSpace(p.asks.Reason)
	if err := p.asks.Check(); err != nil {
		return err
	}
	if p.kind != kindRollOut {
		return nil
	}
	if p.asks.Level != account.RequirementRequired {
		return account.ErrInvalid.For(requirementInvalid)
	}
	if !p.asks.Deadline.After(now) { // whoever is to do something in their own time needs some
		return account.ErrInvalid.For(deadlineInvalid)
	}
	size := 0
	p.message = slices.DeleteFunc(p.message, func(one string) bool { return strings.TrimSpace(one) == "" })
	for _, one := range p.message {
		size += len([]rune(one)) + 1
		if len(account.CheckLegible(one)) > 0 {
			return account.ErrInvalid.For(messageIllegible)
		}
	}
	if size > mostMessage+1 {
		return account.ErrInvalid.For(messageTooLong)
	}
	return nil
}

// What is wrong with a roll-out beside what is wrong with a requirement of one person.
var (
	whoInvalid         = problem.Field{Name: "ids", Code: "invalid"} // those who were chosen or those who match, and not both
	requirementInvalid = problem.Field{Name: "requirement", Code: "invalid"}
	deadlineInvalid    = problem.Field{Name: "deadline", Code: "invalid"}
	messageIllegible   = problem.Field{Name: "message", Code: "illegible"}
	messageTooLong     = problem.Field{Name: "message", Code: "too_long", Params: map[string]any{"max": mostMessage}}
)

// verdict is what becomes of a person: they are left out for a reason, or nothing changes, or the requirement does.
type verdict struct {
	left      string
	unchanged bool
	mailed    bool
}

// judge says what becomes of a person, for a look before as for the work itself.
func (p *plan) judge(user *account.User, now time.Time) verdict {
	reached := user.DisabledAt.IsZero() && !user.Invited()
	if p.kind == kindReminder {
		switch {
		case user.Invited():
			return verdict{left: leftInvited}
		case !waits(user) || user.Deadline > database.At(now.Add(account.DueWithin)):
			return verdict{unchanged: true} // since it was counted
		}
		return verdict{mailed: true}
	}
	if p.kind == kindRollOut {
		switch {
		case user.Requirement == account.RequirementOff:
			return verdict{left: leftOff}
		case user.Requirement == account.RequirementRequired && user.Deadline <= database.At(p.asks.Deadline):
			return verdict{unchanged: true}
		}
	}
	if p.asks.Is(user) {
		return verdict{unchanged: true}
	}
	if refusal := p.asks.Refuse(user, p.by); refusal != nil {
		return verdict{left: refusal.Code}
	}
	return verdict{mailed: reached}
}

// waits reports whether it is asked of somebody who can do it and has not.
func waits(user *account.User) bool {
	return user.Requirement == account.RequirementRequired && !user.MFA() && user.DisabledAt.IsZero()
}
