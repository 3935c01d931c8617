package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
)

// route is one registered operation.
type route struct {
	method, pattern string
	access          Access
	input           input
	output          output
}

// fiberPath is the pattern as Fiber writes it, :id for {id}.
func (r *route) fiberPath() string {
	return strings.ReplaceAll(strings.ReplaceAll(r.pattern, "{", ":"), "}", "")
}

// Register adds an operation: who may call it, what it is, and what it does.
//
// I holds the input as Huma reads it (`path:"…"`, `query:"…"`, Body), O the
// output: a Body, and cookies in a field `SetCookie []http.Cookie`. The handler runs only for a caller whom the access
// lets in, with input that was read strictly. It refuses by returning a
// *problem.Problem; any other error is a fault, logged and not shown. Its ctx
// and everything else it gets may be kept after it returned.
//
// A wrong registration is told by Start. Operations of one method whose
// patterns overlap are tried in the order in which they were registered.
func Register[I, O any](api *API, access Access, op huma.Operation, handler func(ctx context.Context, caller Caller, in *I) (*O, error)) {
	rt := api.prepare(access, &op, reflect.TypeFor[O]())
	if rt == nil {
		return
	}
	huma.Register(api.huma, op, func(ctx context.Context, in *I) (*struct{}, error) {
		r := ctx.(*request) // gate's
		if out, err := handler(r, r.caller, in); err != nil {
			r.refuse(err)
		} else if out != nil {
			r.output = out
		}
		return nil, nil //nolint:nilnil // gate answers
	})
	api.complete(rt, reflect.TypeFor[I]())
}

// prepare makes the route of an operation, and describes what it answers; nil for a wrong registration.
func (a *API) prepare(access Access, op *huma.Operation, out reflect.Type) *route {
	rt := &route{method: op.Method, pattern: op.Path, access: access}
	if err := a.refuseRegistration(rt, *op); err != nil {
		a.faults = append(a.faults, err)
		return nil
	}
	var err error
	if rt.output, err = describeOutput(op, a.huma.OpenAPI().Components.Schemas, out); err != nil {
		a.faults = append(a.faults, fmt.Errorf("web: %s %s: %w", op.Method, op.Path, err))
		return nil
	}
	op.Extensions = map[string]any{"x-access": access.String()}
	op.MaxBodyBytes = bodyLimit + 1 // Fiber has refused more already
	op.Middlewares = huma.Middlewares{a.gate(rt)}
	return rt
}

// complete adds a route that Huma knows, with what its description says of the input.
func (a *API) complete(rt *route, in reflect.Type) {
	a.routes = append(a.routes, rt)
	documented := operationsOf(a.huma.OpenAPI().Paths[rt.pattern])[rt.method]
	var err error
	if rt.input, err = readInput(a.huma.OpenAPI().Components.Schemas, documented, in); err != nil {
		a.faults = append(a.faults, fmt.Errorf("web: %s %s: %w", rt.method, rt.pattern, err))
	}
}

var operationMethods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

func (a *API) refuseRegistration(rt *route, op huma.Operation) error {
	var reason string
	switch {
	case rt.access.name == "":
		reason = "has no access"
	case a.auth != nil:
		reason = "comes after Start"
	case op.Hidden:
		reason = "is hidden from the OpenAPI document"
	case len(op.Middlewares) > 0:
		reason = "has middlewares"
	case !servedByOperation(op.Path):
		reason = "is outside /api/"
	case !slices.Contains(operationMethods, op.Method):
		reason = "has a method that operations have not"
	default:
		return nil
	}
	return fmt.Errorf("web: %s %s %s", rt.method, rt.pattern, reason)
}

// servedByOperation tells the paths of operations from those of pages.
func servedByOperation(path string) bool {
	return path == "/api" || strings.HasPrefix(path, "/api/") || path == "/healthz" || path == "/readyz"
}

// gate lets a request through to its operation, or answers in its place. It is
// Huma's hook before the input is read; what it decides is in admit.
func (a *API) gate(rt *route) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		fctx := humafiber.Unwrap(ctx).Context()
		r := requestOf(fctx)
		r.route = rt
		if r.refusal = a.admit(r, fctx, rt.access); r.refusal == nil {
			if r.refusal = rt.input.check(fctx); r.refusal == nil {
				next(&exchange{humaContext: ctx, request: r, fctx: fctx})
			}
		}
		if r.refusal == nil {
			if err := rt.output.write(a, r, fctx); err != nil {
				r.refuse(err)
			}
		}
		if r.refusal != nil {
			a.answer(fctx, r, r.refusal)
		}
	}
}

// humaContext is another name, so that exchange can have a method Context.
type humaContext = huma.Context

// exchange is Huma's view of a request, with what its adapter does otherwise.
type exchange struct {
	humaContext
	request *request
	fctx    *requestCtx
}

// Unwrap is for humafiber.Unwrap.
func (e *exchange) Unwrap() huma.Context { return e.humaContext }

// Context is the request itself; nothing in it belongs to Fiber.
func (e *exchange) Context() context.Context { return e.request }

// Header answers what was sent, but for the header by which Huma would choose a
// format: there is one, and input.check has seen to it.
func (e *exchange) Header(name string) string {
	if name == "Content-Type" {
		return jsonType
	}
	return e.humaContext.Header(name)
}

// BodyReader reads what was sent as it is. Fiber's Body would unpack it
// according to Content-Encoding, past the limit.
func (e *exchange) BodyReader() io.Reader { return bytes.NewReader(e.fctx.PostBody()) }

// SetReadDeadline does nothing: the body is here, and the server has time-outs.
func (e *exchange) SetReadDeadline(time.Time) error { return nil }

// operationsOf lists what a path's item describes, by method.
func operationsOf(item *huma.PathItem) map[string]*huma.Operation {
	all := map[string]*huma.Operation{}
	if item == nil {
		return all
	}
	for method, op := range map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPut: item.Put, http.MethodPost: item.Post, http.MethodDelete: item.Delete,
		http.MethodPatch: item.Patch, http.MethodHead: item.Head, http.MethodOptions: item.Options, http.MethodTrace: item.Trace,
	} {
		if op != nil {
			all[method] = op
		}
	}
	return all
}
