package data

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
	"github.com/amplify-go/amplify/internal/sigv4"
)

// Limits of one attempt of a call.
const (
	// maxAnswer is the largest answer, in bytes. AppSync's own limit is lower.
	maxAnswer = 8 << 20
	// attemptTimeout bounds an attempt, its answer included. AppSync gives up after 30 seconds.
	attemptTimeout = 35 * time.Second
)

// service is what an App keeps for this package.
type service struct {
	app       *amplify.App
	options   Options
	signers   *sigv4.Signers
	documents documents
}

func newService(app *amplify.App, o Options) *service {
	return &service{app: app, options: o, signers: sigv4.New(app.Now)}
}

// serviceOf returns what app keeps, without options if it has not been configured.
func serviceOf(app *amplify.App) (*service, error) {
	return amplify.Shared(app, func(app *amplify.App) (*service, error) {
		return newService(app, Options{}), nil
	})
}

// client sends requests to the APIs of one region.
type client struct {
	aws.HTTPClient
	aws.Retryer
}

func (s *service) client(region string) (*client, error) {
	return awsapi.Client(s.app, region, func(settings awsapi.Settings) *client {
		return &client{settings.Unlimited().HTTPClient, settings.Retryer}
	})
}

// operation is what a call sends.
type operation struct {
	document  string
	name      string // operationName; "" leaves it out
	variables any    // encodes to a JSON object; nil is none
	mutation  bool   // changes data: it is not sent again if it may have had its effect
}

// body returns op as the body of a request.
func (op operation) body() ([]byte, error) {
	if op.variables == nil {
		op.variables = struct{}{}
	}
	body, err := json.Marshal(struct {
		Query         string `json:"query"`
		OperationName string `json:"operationName,omitempty"`
		Variables     any    `json:"variables"`
	}{op.document, op.name, op.variables})
	if err != nil {
		return nil, &amplify.Error{
			Name: invalidInput, Reason: amplify.ReasonInvalidRequest,
			Message:            "The variables cannot be written as JSON.",
			RecoverySuggestion: "Use values that encoding/json can encode.", Err: err,
		}
	}
	return body, nil
}

// call sends op and decodes the data of the answer into a D. o are the options of the call over
// those of its model: those of the App and the configuration stand behind them.
//
// With errors in the answer it returns them and the data that there is, or nil. An answer without
// errors has data that is not nil.
func call[D any](ctx context.Context, op operation, o Options) (*D, error) {
	server, err := amplify.FromContext(ctx)
	if err != nil {
		return nil, err
	}
	life := server.Lifetime() // before the tokens: another session may start meanwhile
	ctx, end := awsapi.Live(ctx, life)
	defer end()
	out, err := callAlive[D](ctx, server, life, op, o)
	if life.Err() != nil {
		return nil, context.Cause(life)
	}
	return out, err
}

// callAlive is call in the life of a session. Each time that it has asked the server context who is
// calling, it looks whether that is still the same session, and sends nothing otherwise.
func callAlive[D any](
	ctx context.Context, server *amplify.ServerContext, life context.Context,
	op operation, o Options,
) (*D, error) {
	s, err := serviceOf(server.App())
	if err != nil {
		return nil, err
	}
	r, err := s.request(ctx, server, op, o)
	if err != nil {
		return nil, err
	}
	if life.Err() != nil {
		return nil, context.Cause(life)
	}
	answer, id, err := r.send(ctx, op.mutation)
	if r.hasExpired(err) {
		// The API has refused the call, which so had no effect.
		if err = r.sign(ctx, server, amplify.CredentialsInput{ForceRefresh: true}); err != nil {
			return nil, err
		}
		if life.Err() != nil {
			return nil, context.Cause(life)
		}
		answer, id, err = r.send(ctx, op.mutation)
	}
	if err != nil {
		return nil, r.failure(err, op.mutation)
	}
	var envelope struct {
		Data   *D              `json:"data"`
		Errors json.RawMessage `json:"errors"`
	}
	err = json.Unmarshal(answer, &envelope)
	if err != nil {
		envelope.Data = nil
	}
	if all := r.errorsIn(envelope.Errors); len(all) > 0 {
		return envelope.Data, r.refusal(all, id)
	}
	if err != nil || envelope.Data == nil {
		return nil, unusable(id, r.redactError(err))
	}
	return envelope.Data, nil
}

// request is a call that is ready to be sent.
type request struct {
	*service
	target
	mode        AuthMode
	header      http.Header
	credentials *aws.Credentials // that sign it, or nil
	body        []byte
}

func (s *service) request(
	ctx context.Context, server *amplify.ServerContext, op operation, o Options,
) (*request, error) {
	body, err := op.body()
	if err != nil {
		return nil, err
	}
	config := amplify.DataConfig{}
	if c := s.app.Config().Data; c != nil {
		config = *c
	}
	full := o.over(s.options)
	if full.Endpoint == "" {
		full.AuthMode = cmp.Or(full.AuthMode, AuthMode(config.DefaultAuthMode), AuthIdentityPool)
		if full.APIKey.IsZero() {
			full.APIKey = config.APIKey
		}
	}
	if err := amplify.NewConfigError(full.faults()...); err != nil {
		return nil, err
	}
	r := &request{service: s, mode: full.AuthMode, body: body}
	if r.target, err = s.locate(full, config); err != nil {
		return nil, err
	}
	r.header, err = s.headers(ctx, o, HeadersInput{http.MethodPost, r.url, op.document})
	if err != nil {
		return nil, err
	}
	return r, r.authorize(ctx, server, full)
}

// target is where a call goes.
type target struct {
	url               string
	region, signedFor string // a region and a service of AWS, for signatures
	anonymous         bool   // nothing but the headers of Options tells who is calling
}

// locate returns where a call with the options o goes.
func (s *service) locate(o Options, config amplify.DataConfig) (target, error) {
	if o.Endpoint != "" {
		return target{o.Endpoint, cmp.Or(o.Region, config.Region), "appsync", false}, nil
	}
	t := target{s.app.Endpoints().Data, config.Region, "appsync", false}
	switch custom, region := config.CustomEndpoint, config.CustomEndpointRegion; {
	case custom == "" && region != "":
		return target{}, &amplify.Error{
			Name: "NoCustomEndpoint", Reason: amplify.ReasonConfiguration,
			Message: "Custom endpoint region is present without custom endpoint.",
			RecoverySuggestion: "Give Config.Data a CustomEndpoint, or leave its " +
				"CustomEndpointRegion out.",
		}
	case t.url == "":
		return target{}, &amplify.Error{
			Name: "NoEndpoint", Reason: amplify.ReasonConfiguration,
			Message: "No GraphQL endpoint configured.",
			RecoverySuggestion: "Make sure that the configuration has the URL of the GraphQL API " +
				"(data.url of the outputs).",
		}
	case custom != "":
		// Amplify JS takes it for an API behind API Gateway, and authorizes no calls of it if its
		// region is not known.
		t.region, t.signedFor, t.anonymous = region, "execute-api", region == ""
	}
	return t, nil
}

// send sends r, and returns the answer and the id of the request.
func (r *request) send(ctx context.Context, mutation bool) (answer []byte, id string, err error) {
	c, err := r.client(r.region)
	if err != nil {
		return nil, "", err
	}
	err = awsapi.Retry(ctx, c, func() error {
		var err error
		if answer, id, err = r.attempt(ctx, c); err != nil && mutation && mayHaveRun(err) {
			err = &unrepeatable{err}
		}
		return err
	})
	return answer, id, err
}

func (r *request) attempt(ctx context.Context, c *client) (answer []byte, id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	attempt, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(r.body))
	if err != nil {
		return nil, "", err
	}
	attempt.Header = r.header
	if r.credentials != nil {
		attempt.Header = r.header.Clone() // each attempt has a signature of its own
		err := r.signers.Of(*r.credentials).SignHTTP(ctx, *r.credentials, attempt,
			hashOf(r.body), r.signedFor, r.region, r.app.Now())
		if err != nil {
			return nil, "", err
		}
	}
	resp, err := c.Do(attempt)
	if err != nil {
		return nil, "", &smithyhttp.RequestSendError{Err: err}
	}
	id = string(r.redact([]byte(resp.Header.Get("X-Amzn-Requestid"))))
	answer, err = awsapi.Read(ctx, resp.Body, maxAnswer)
	if err == nil && (resp.StatusCode < 200 || resp.StatusCode > 299) {
		err = r.statusError(resp, answer)
	}
	if err != nil {
		err = &awshttp.ResponseError{RequestID: id, ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: resp}, Err: err,
		}}
	}
	return answer, id, err
}

// mayHaveRun reports whether an operation whose attempt failed with err may have had its effect.
func mayHaveRun(err error) bool {
	var connection *net.OpError
	var response *awshttp.ResponseError
	switch {
	case errors.As(err, &connection) && connection.Op == "dial": // nothing was sent
		return false
	case errors.As(err, &response):
		// What AppSync throttles or refuses it does not run. A 5xx may come from a gateway that did
		// not wait for it. A 200 that failed was cut short.
		status := response.HTTPStatusCode()
		return status < 300 || status >= 500
	}
	return true
}

// unrepeatable is the error of an attempt that must not be made again.
type unrepeatable struct{ error }

func (e *unrepeatable) Unwrap() error { return e.error }

// RetryableError answers the retry policy of the SDK.
func (e *unrepeatable) RetryableError() bool { return false }
