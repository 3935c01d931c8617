package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/secondstep/secondstep/server/problem"
)

// route is one registered operation.
type route struct {
	op              huma.Operation
	method, pattern string
	access          Access
	others          Access // when it is about somebody else; without a name, the same
	input           input
	output          output
	call            func(r *request, in any) (out any, err error)
}

// fiberPath is the pattern as Fiber writes it, :id for {id}.
func (rt *route) fiberPath() string {
	return strings.ReplaceAll(strings.ReplaceAll(rt.pattern, "{", ":"), "}", "")
}

// Register adds an operation: who may call it, what it is, and what it does.
//
// I holds the input: fields tagged `path:"…"` and `query:"…"`, and a Body, with
// the tags by which Huma describes and validates. O is the output: a Body, and
// cookies in a field `SetCookie []http.Cookie`. The handler runs only for a
// caller whom the access lets in, with input that was read strictly. It refuses
// by returning a *problem.Problem; any other error is a fault, logged and not
// shown. Its ctx and everything else it gets may be kept after it returned.
//
// A wrong registration is told by Start. Operations of one method whose
// patterns overlap are tried in the order in which they were registered.
func Register[I, O any](api *API, access Access, op huma.Operation, handler func(ctx context.Context, caller Caller, in *I) (*O, error)) {
	register(api, access, op, handler)
}

func register[I, O any](api *API, access Access, op huma.Operation, handler func(context.Context, Caller, *I) (*O, error)) *route {
	return api.register(access, op, reflect.TypeFor[I](), reflect.TypeFor[O](), func(r *request, in any) (any, error) {
		out, err := handler(r, r.caller, in.(*I))
		if err != nil || out == nil {
			return nil, err
		}
		return out, nil
	})
}

// register does what does not hang on the types at compile time: Register is there once for each operation. It answers
// nil for a wrong registration.
//
// Huma makes schemas of types, validates by them and writes the document. Its own Register would read the input too; but
// it is compiled anew for each pair of types, 2 MB of it for ours, and what it reads loosely is checked before it.
func (a *API) register(access Access, op huma.Operation, in, out reflect.Type, call func(*request, any) (any, error)) *route {
	rt := &route{op: op, method: op.Method, pattern: op.Path, access: access, call: call}
	err := a.refuseRegistration(rt, op)
	if err == nil {
		rt.input, err = inputOf(in, a.schemas, op.OperationID)
	}
	if err == nil {
		rt.output, err = outputOf(out, op.DefaultStatus)
	}
	if err != nil {
		a.faults = append(a.faults, fmt.Errorf("web: %s %s %w", op.Method, op.Path, err))
		return nil
	}
	a.routes = append(a.routes, rt)
	a.app.Add(op.Method, rt.fiberPath(), func(c *fiber.Ctx) error {
		fctx := c.Context()
		r := requestOf(fctx)
		r.route = rt
		if err := a.run(c, r); err != nil {
			a.answer(fctx, r, problem.Of(err))
		}
		return nil
	})
	return rt
}

// run lets a request through to its operation and writes the answer, or says why not.
func (a *API) run(c *fiber.Ctx, r *request) error {
	fctx, rt := c.Context(), r.route
	if refusal := a.admit(r, fctx, rt.access); refusal != nil {
		return refusal
	}
	in, refusal := rt.input.read(c, a.schemas)
	if refusal != nil {
		return refusal
	}
	out, err := rt.call(r, in)
	if err != nil {
		return err
	}
	return rt.output.write(a, r, fctx, out)
}

var operationMethods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

func (a *API) refuseRegistration(rt *route, op huma.Operation) error {
	switch {
	case rt.access.name == "":
		return errors.New("has no access")
	case a.auth != nil:
		return errors.New("comes after Start")
	case op.Hidden:
		return errors.New("is hidden from the OpenAPI document")
	case len(op.Middlewares) > 0:
		return errors.New("has middlewares")
	case !servedByOperation(op.Path):
		return errors.New("is outside /api/")
	case !slices.Contains(operationMethods, op.Method):
		return errors.New("has a method that operations have not")
	}
	return nil
}

// servedByOperation tells the paths of operations from those of pages.
func servedByOperation(path string) bool {
	return path == "/api" || strings.HasPrefix(path, "/api/") || path == "/healthz" || path == "/readyz"
}
