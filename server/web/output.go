package web

import (
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// output is how an operation answers, read from the type of its output: with a body or with none, and with cookies.
type output struct {
	status        int
	body, cookies []int // where its fields are; nil: it has none
}

// describeOutput reads an output's type, and describes it in op as Huma would.
func describeOutput(op *huma.Operation, schemas huma.Registry, t reflect.Type) (output, error) {
	var out output
	body, answers := t.FieldByName("Body")
	streams := t == reflect.TypeFor[Stream]()
	switch {
	case op.DefaultStatus != 0: // it says so itself
	case answers || streams:
		op.DefaultStatus = http.StatusOK
	default:
		op.DefaultStatus = http.StatusNoContent
	}
	out.status = op.DefaultStatus
	if streams { // its operation describes it
		return out, nil
	}
	responses := map[string]*huma.Response{}
	for status, response := range op.Responses { // of the caller's operation, which stays what it is
		responses[status] = response
	}
	op.Responses = responses

	response := responseOf(op)
	if answers {
		out.body = body.Index
	}
	if answers && response.Content == nil {
		schema := huma.SchemaFromField(schemas, body, hint(t, body.Name, op.OperationID+"Response"))
		response.Content = map[string]*huma.MediaType{jsonType: {Schema: schema}}
	}
	if cookies, sets := t.FieldByName("SetCookie"); sets {
		if cookies.Type != reflect.TypeFor[[]http.Cookie]() {
			return out, fmt.Errorf("sets cookies of the type %s", cookies.Type)
		}
		out.cookies = cookies.Index
		response.Headers = map[string]*huma.Param{"Set-Cookie": {Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	return out, nil
}

// responseOf is the response of the status that an operation answers when all is well; there is one after it.
func responseOf(op *huma.Operation) *huma.Response {
	status := strconv.Itoa(op.DefaultStatus)
	response := &huma.Response{Description: http.StatusText(op.DefaultStatus)}
	if described := op.Responses[status]; described != nil {
		*response = *described
	}
	op.Responses[status] = response
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
		// Of what can't be written nothing is: encoding/json writes a value as a whole.
		if err := huma.DefaultJSONFormat.Marshal(fctx, value.FieldByIndex(o.body).Interface()); err != nil {
			return fmt.Errorf("write the answer: %w", err)
		}
		fctx.Response.Header.SetContentType(jsonType)
	}
	if o.cookies != nil {
		cookies, _ := value.FieldByIndex(o.cookies).Interface().([]http.Cookie) // describeOutput has seen to it
		for i := range cookies {
			fctx.Response.Header.Add("Set-Cookie", cookies[i].String())
		}
	}
	return nil
}
