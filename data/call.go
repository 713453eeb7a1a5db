package data

import (
	"context"

	"github.com/amplify-go/amplify"
)

// service is what an App keeps for this package.
type service struct {
	app     *amplify.App
	options Options
}

func newService(app *amplify.App, o Options) *service { return &service{app, o} }

// operation is what a call sends.
type operation struct {
	document  string
	name      string // operationName; "" leaves it out
	variables any    // encodes to a JSON object; nil is none
	mutation  bool   // changes data: it is not sent again if it may have had its effect
}

// call sends op and decodes the data of the answer into a D. o are the options of the call over
// those of its model: those of the App and the configuration stand behind them.
//
// With errors in the answer it returns them and the data that there is, or nil. An answer without
// errors has data that is not nil.
func call[D any](ctx context.Context, op operation, o Options) (*D, error) {
	return nil, &amplify.Error{Name: "NoEndpoint", Message: "No call is sent yet."}
}
