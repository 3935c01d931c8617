package web

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/secondstep/secondstep/server/problem"
)

// output is how an operation answers, read from the type of its output: with a body or with none, and with cookies.
type output struct {
	of            reflect.Type
	status        int   // when all is well
	body, cookies []int // where its fields are; nil: it has none
}

// outputOf reads the output's type of an operation; status is 0 where it follows from the type.
func outputOf(of reflect.Type, status int) (output, error) {
	out := output{of: of, status: status}
	for _, field := range reflect.VisibleFields(of) {
		if field.Name != "Body" && field.Name != "SetCookie" && !field.Anonymous && !out.streams() {
			return output{}, fmt.Errorf("answers %s, which is neither a body nor cookies", field.Name)
		}
	}
	if body, is := of.FieldByName("Body"); is {
		out.body = body.Index
	}
	if cookies, is := of.FieldByName("SetCookie"); is {
		if cookies.Type != reflect.TypeFor[[]http.Cookie]() {
			return output{}, fmt.Errorf("sets cookies of the type %s", cookies.Type)
		}
		out.cookies = cookies.Index
	}
	switch {
	case out.status != 0:
	case out.body != nil, out.streams():
		out.status = http.StatusOK
	default:
		out.status = http.StatusNoContent
	}
	return out, nil
}

func (o output) streams() bool { return o.of == reflect.TypeFor[Stream]() }

// describe tells of the output, and of refusals, in an operation's description, which may hold more responses.
func (o output) describe(op *huma.Operation, schemas huma.Registry) {
	op.Responses = maps.Clone(op.Responses) // the registered operation stays what it is
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	if !o.streams() { // else its operation says what it answers
		op.Responses[strconv.Itoa(o.status)] = o.response(op, schemas)
	}
	if len(op.Responses) == 1 {
		op.Responses["default"] = &huma.Response{Description: "Error", Content: map[string]*huma.MediaType{
			problem.ContentType: {Schema: schemas.Schema(reflect.TypeFor[problemDetails](), true, "")},
		}}
	}
}

func (o output) response(op *huma.Operation, schemas huma.Registry) *huma.Response {
	response := &huma.Response{Description: http.StatusText(o.status)}
	if described := op.Responses[strconv.Itoa(o.status)]; described != nil {
		*response = *described
	}
	if o.body != nil && response.Content == nil {
		body := o.of.FieldByIndex(o.body)
		schema := huma.SchemaFromField(schemas, body, hint(o.of, body.Name, op.OperationID+"Response"))
		response.Content = map[string]*huma.MediaType{jsonType: {Schema: schema}}
	}
	if o.cookies != nil {
		response.Headers = map[string]*huma.Param{"Set-Cookie": {Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	return response
}

const jsonType = "application/json"

// write answers with what a handler returned; where it returned nothing, the status is the answer.
func (o output) write(api *API, r *request, fctx *requestCtx, returned any) error {
	fctx.SetStatusCode(o.status)
	if returned == nil {
		return nil
	}
	if stream, ok := returned.(*Stream); ok {
		stream.send(api, r, fctx)
		return nil
	}
	value := reflect.ValueOf(returned).Elem()
	if o.body != nil {
		if err := writeBody(fctx, value.FieldByIndex(o.body).Addr().Interface()); err != nil {
			return fmt.Errorf("write the answer: %w", err)
		}
	}
	if o.cookies != nil {
		cookies, _ := value.FieldByIndex(o.cookies).Interface().([]http.Cookie) // outputOf has seen to it
		for i := range cookies {
			fctx.Response.Header.Add("Set-Cookie", cookies[i].String())
		}
	}
	return nil
}

// Encoded is a body of type T that is written already, for answers that are given more than once.
type Encoded[T any] struct{ text []byte }

// Encode writes a body as it would be written in an answer.
func Encode[T any](body T) (Encoded[T], error) {
	var text bytes.Buffer
	err := huma.DefaultJSONFormat.Marshal(&text, body)
	return Encoded[T]{text.Bytes()}, err
}

// Schema is that of T.
func (Encoded[T]) Schema(schemas huma.Registry) *huma.Schema {
	return schemas.Schema(reflect.TypeFor[T](), true, "")
}

func (e *Encoded[T]) raw() []byte { return e.text }

// writeBody writes what body points to.
func writeBody(fctx *requestCtx, body any) error {
	fctx.Response.Header.SetContentType(jsonType)
	if written, is := body.(interface{ raw() []byte }); is {
		fctx.Response.SetBodyRaw(written.raw())
		return nil
	}
	// Of what can't be written nothing is: encoding/json writes a value as a whole.
	return huma.DefaultJSONFormat.Marshal(fctx, body)
}
