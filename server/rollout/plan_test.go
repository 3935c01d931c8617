package rollout

import (
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mfa"
)

// What becomes of a person is the same rule for the look before and for the work.
func TestJudge(t *testing.T) {
	now := time.Date(2026, 3, 12, 9, 0, 0, 0, time.UTC)
	in := func(days int) time.Time { return now.AddDate(0, 0, days) }
	person := func(change func(*account.User)) *account.User {
		user := &account.User{ID: "them", Role: account.Member, PasswordHash: "x", Requirement: account.RequirementAllowed}
		change(user)
		return user
	}
	required := func(days int) func(*account.User) {
		return func(u *account.User) {
			u.Requirement, u.Deadline = account.RequirementRequired, database.At(in(days))
		}
	}
	as := func(user func(*account.User), more ...func(*account.User)) *account.User {
		return person(func(u *account.User) {
			user(u)
			for _, one := range more {
				one(u)
			}
		})
	}
	plain := func(*account.User) {}
	me := func(u *account.User) { u.ID = "me" }
	off := func(u *account.User) { u.Requirement = account.RequirementOff }
	administrator := func(u *account.User) { u.Role = account.Administrator }
	reset := func(u *account.User) { u.ResetAt = 1 }
	disabled := func(u *account.User) { u.DisabledAt = 1 }
	invited := func(u *account.User) { u.PasswordHash = "" }
	on := func(u *account.User) { u.MFASince = 1 }

	asks := func(kind, level string, days int) *plan {
		p := &plan{kind: kind, by: "me", asks: mfa.Requirement{Level: level}}
		if days != 0 {
			p.asks.Deadline = in(days)
		}
		return p
	}
	changed, untold, unchanged := verdict{mailed: true}, verdict{}, verdict{unchanged: true}
	left := func(why string) verdict { return verdict{left: why} }
	for _, one := range []struct {
		name string
		plan *plan
		user *account.User
		want verdict
	}{
		{"somebody", asks(kindRequirement, "required", 14), as(plain), changed},
		{"as much is asked already", asks(kindRequirement, "required", 14), as(required(14)), unchanged},
		{"more time", asks(kindRequirement, "required", 14), as(required(7)), changed},
		{"more time for oneself", asks(kindRequirement, "required", 14), as(required(7), me), left("own_requirement")},
		{"less time for oneself", asks(kindRequirement, "required", 7), as(required(14), me), changed},
		{"less for oneself", asks(kindRequirement, "allowed", 0), as(required(14), me), left("own_requirement")},
		{"nothing of an administrator", asks(kindRequirement, "off", 0), as(administrator), left("administrator_never_off")},
		{"nothing of who was reset", asks(kindRequirement, "off", 0), as(reset), left("reset_open")},
		{"nothing of a member", asks(kindRequirement, "off", 0), as(plain), changed},
		{"who is disabled is told nothing", asks(kindRequirement, "required", 14), as(disabled), untold},
		{"nor who has not joined", asks(kindRequirement, "required", 14), as(invited), untold},

		{"a roll-out", asks(kindRollOut, "required", 14), as(plain), changed},
		{"of who has it on", asks(kindRollOut, "required", 14), as(on), changed},
		{"gives nobody more time", asks(kindRollOut, "required", 14), as(required(7)), unchanged},
		{"nor who must at once", asks(kindRollOut, "required", 14), as(func(u *account.User) { u.Requirement = "required" }), unchanged},
		{"brings a later day nearer", asks(kindRollOut, "required", 14), as(required(30)), changed},
		{"leaves out whom it is off for", asks(kindRollOut, "required", 14), as(off), left("off")},

		{"a reminder", asks(kindReminder, "", 0), as(required(6)), changed},
		{"of what is late", asks(kindReminder, "", 0), as(required(-6)), changed},
		{"not of what is far", asks(kindReminder, "", 0), as(required(8)), unchanged},
		{"nor of what is done", asks(kindReminder, "", 0), as(required(6), on), unchanged},
		{"nor of who is disabled", asks(kindReminder, "", 0), as(required(6), disabled), unchanged},
		{"nor of who has not joined", asks(kindReminder, "", 0), as(required(6), invited), left("invited")},
	} {
		if got := one.plan.judge(one.user, now); got != one.want {
			t.Errorf("%s: %+v, want %+v", one.name, got, one.want)
		}
	}
}
