package people

import (
	"context"
	"strings"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

// Verdict is what becomes of a line: with Fields it is bad; with a Token, or Mailed, its person has been made.
type Verdict struct {
	Candidate

	Fields []problem.Field
	Token  session.Token // of the link, to hand over
	Mailed bool          // the link was, so that it is nobody else's to see
	person account.New
	key    string
}

// Seen are the canonical addresses of the good lines so far, for files that are looked at in several calls.
type Seen map[string]bool

// Look says of each line, in their order, whether a person can be made of it. It makes nobody.
func (p *People) Look(ctx context.Context, candidates []Candidate, seen Seen) ([]Verdict, error) {
	verdicts := make([]Verdict, len(candidates))
	keys := make([]string, 0, len(candidates))
	for n, candidate := range candidates {
		v := Verdict{Candidate: candidate}
		v.person, v.Fields = candidate.person()
		if len(v.Fields) == 0 {
			var err error
			if v.key, err = account.EmailKey(candidate.Email); err != nil {
				v.Fields = append(v.Fields, emailInvalid)
			} else {
				keys = append(keys, v.key)
			}
		}
		verdicts[n] = v
	}
	taken, err := account.Taken(ctx, p.Database.Read(), keys)
	if err != nil {
		return nil, err
	}
	for n := range verdicts {
		switch v := &verdicts[n]; {
		case len(v.Fields) > 0:
		case seen[v.key]:
			v.Fields = append(v.Fields, twiceInFile)
		default:
			seen[v.key] = true
			if taken[v.key] {
				v.Fields = append(v.Fields, emailTaken)
			}
		}
	}
	return verdicts, nil
}

// Import makes the people of the good lines, as invited, in one transaction that begins with first. An address that
// somebody came to have meanwhile keeps nobody else out: so the same lines sent twice, or to two instances at once,
// make nobody twice (row 80).
func (p *People) Import(ctx context.Context, by audit.Event, candidates []Candidate, seen Seen, first func(context.Context, database.Tx) error) (verdicts []Verdict, expires time.Time, err error) {
	if verdicts, err = p.Look(ctx, candidates, seen); err != nil {
		return nil, expires, err
	}
	tokens := make([]session.Token, len(verdicts))
	for n := range tokens {
		if tokens[n], err = session.NewToken(p.Random); err != nil {
			return nil, expires, err
		}
	}
	type made struct {
		token  session.Token
		mailed bool
	}
	people := map[string]made{} // by canonical address
	err = p.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		clear(people)
		if err := first(ctx, tx); err != nil {
			return err
		}
		good, err := p.reachable(ctx, tx, verdicts)
		if err != nil {
			return err
		}
		reasons := map[string]string{} // by canonical address
		for _, v := range verdicts {
			if v.person.Requirement == account.RequirementOff {
				reasons[v.key] = strings.TrimSpace(v.Reason)
			}
		}
		users, err := account.CreateAbsent(ctx, tx, good)
		if err != nil {
			return err
		}
		if expires, err = account.InviteNew(ctx, tx, users, tokens[:len(users)]); err != nil {
			return err
		}
		events := make([]audit.Event, len(users))
		for n := range users {
			mailed, err := p.ByMail(ctx, tx, &users[n], web.Link("", JoinPage, tokens[n]), expires)
			if err != nil {
				return err
			}
			people[users[n].EmailKey] = made{tokens[n], mailed}
			events[n] = invitedEvent(by, &users[n], reasons[users[n].EmailKey])
		}
		return audit.Record(ctx, tx, events...)
	})
	if err != nil {
		return nil, expires, err
	}
	for n := range verdicts {
		if v := &verdicts[n]; len(v.Fields) == 0 {
			switch one, found := people[v.key]; {
			case !found:
				v.Fields = append(v.Fields, emailTaken)
			case one.mailed:
				v.Mailed = true
			default:
				v.Token = one.token
			}
		}
	}
	return verdicts, expires, nil
}

// reachable are the people of the good lines. Whose mailbox is full is told so and stays out: their link would go to
// whoever imports them, and to nobody else.
func (p *People) reachable(ctx context.Context, tx database.Tx, verdicts []Verdict) ([]account.New, error) {
	good := make([]account.New, 0, len(verdicts))
	for n := range verdicts {
		v := &verdicts[n]
		if len(v.Fields) > 0 {
			continue
		}
		full, err := p.Full(ctx, tx, v.person.Email)
		if err != nil {
			return nil, err
		}
		if full {
			v.Fields = append(v.Fields, mailboxFull)
			continue
		}
		good = append(good, v.person)
	}
	return good, nil
}
