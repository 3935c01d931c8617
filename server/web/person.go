package web

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
)

// PersonPath is the part of a path that names a person.
type PersonPath struct {
	ID string `path:"id" maxLength:"40" doc:"A person's id, or me."`
}

// person is who the path names.
func (p *PersonPath) person() string { return p.ID }

// personal is an input whose path names a person: one that embeds PersonPath.
type personal[I any] interface {
	*I
	person() string
}

// RegisterOwn adds an operation that somebody may call about themself alone, whatever their role: for anybody else in
// the path it answers 403 not_permitted, and the handler does not run.
func RegisterOwn[I any, P personal[I], O any](api *API, access Access, op huma.Operation, handler func(ctx context.Context, caller Caller, in *I) (*O, error)) {
	Register(api, access, op, func(ctx context.Context, caller Caller, in *I) (*O, error) {
		if named := P(in).person(); named != "me" && named != caller.Session.UserID {
			return nil, ErrNotPermitted
		}
		return handler(ctx, caller, in)
	})
}

// Reach answers the id of the person that the path names where the caller may act on what is theirs: oneself, by what the
// operation's Access asks for, and for an administrator anybody, with what FreshAdministrator asks for.
func (a *API) Reach(caller Caller, id string) (string, error) {
	who, err := caller.Visible(id)
	if err != nil || who == caller.Session.UserID {
		return who, err
	}
	if refusal := a.allows(caller.Session, FreshAdministrator); refusal != nil {
		return "", refusal
	}
	return who, nil
}

// RegisterPerson adds an operation that somebody may call about themself with one access, and about anybody else with
// another one: both are of who is signed in, and the second is the stricter. The document tells it as "x-access-others".
func RegisterPerson[I any, P personal[I], O any](api *API, own, others Access, op huma.Operation, handler func(ctx context.Context, caller Caller, in *I) (*O, error)) {
	rt := register(api, own, op, func(ctx context.Context, caller Caller, in *I) (*O, error) {
		if named := P(in).person(); named != "me" && named != caller.Session.UserID {
			if refusal := api.allows(caller.Session, others); refusal != nil {
				return nil, refusal
			}
		}
		return handler(ctx, caller, in)
	})
	if rt != nil {
		rt.others = others
	}
}

// Visible answers the id of the person that the path names where the caller may look at them: oneself, and for an
// administrator anybody.
func (c Caller) Visible(id string) (string, error) {
	switch {
	case id == "me" || id == c.Session.UserID:
		return c.Session.UserID, nil
	case c.Session.Role == RoleAdministrator:
		return id, nil
	}
	return "", ErrNotPermitted
}
