package storage

import (
	"context"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyendpoints "github.com/aws/smithy-go/endpoints"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
	"github.com/amplify-go/amplify/internal/s3address"
	"github.com/amplify-go/amplify/internal/storageaccess"
)

// call is one call of this package, with what it knows of its request.
type call struct {
	*service
	server      *amplify.ServerContext
	credentials *amplify.Credentials // nil if there are none
	life        context.Context      // of the session that they belong to
}

func begin(ctx context.Context) (*call, error) {
	server, err := amplify.FromContext(ctx)
	if err != nil {
		return nil, err
	}
	s, err := serviceOf(server.App())
	if err != nil {
		return nil, err
	}
	life := server.Lifetime() // before the credentials: another session may start meanwhile
	credentials, err := server.Credentials(ctx, amplify.CredentialsInput{})
	if err != nil {
		return nil, err
	}
	return &call{s, server, credentials, life}, nil
}

func (c *call) identityID() string {
	if c.credentials == nil {
		return ""
	}
	return c.credentials.IdentityID
}

// renew returns the credentials of the session that the call began with: another one, which the
// request may have by now, is not the caller's.
func (c *call) renew(ctx context.Context, force bool) (aws.Credentials, error) {
	credentials, err := c.server.Credentials(ctx, amplify.CredentialsInput{ForceRefresh: force})
	switch {
	case c.life.Err() != nil: // after the call: the session may have ended meanwhile
		return aws.Credentials{}, context.Cause(c.life)
	case err != nil:
		return aws.Credentials{}, err
	case credentials == nil:
		return aws.Credentials{}, awsapi.ErrNoCredentials
	}
	return awsapi.AWSCredentials(credentials), nil
}

// target is an object or a folder in its bucket.
type target struct {
	*call
	address
	bucket, region string
	owner          *string  // the account that is expected to own the bucket
	url            *url.URL // of the bucket
}

// open begins a call at p.
func open(
	ctx context.Context, p ObjectPath, b Bucket, allowUnusual bool, missing error,
) (*target, error) {
	c, err := begin(ctx)
	if err != nil {
		return nil, err
	}
	return c.locate(ctx, p, b, allowUnusual, missing)
}

// locate returns the target of p. It returns the error missing, unless that is nil, if p names
// nothing.
func (c *call) locate(
	ctx context.Context, p ObjectPath, b Bucket, allowUnusual bool, missing error,
) (*target, error) {
	t := &target{call: c}
	var err error
	if t.bucket, t.region, err = b.find(c.app.Config().Storage); err != nil {
		return nil, err
	}
	if t.address, err = p.resolve(ctx, c.options, c.identityID()); err != nil {
		return nil, err
	}
	if missing != nil && (t.path == "" || t.isKey && t.key == "") {
		return nil, missing
	}
	if err = t.check(allowUnusual || p.kind == listedPath); err != nil {
		return nil, err
	}
	if err = checkOwner(b.ExpectedOwner); err != nil {
		return nil, err
	}
	t.owner = optional(b.ExpectedOwner)
	where := s3address.Options{
		Custom: b.CustomEndpoint, Accelerate: b.UseAccelerateEndpoint,
		App: c.app.Endpoints().Storage,
	}
	if t.url, err = where.URL(t.bucket, t.region); err != nil {
		return nil, err
	}
	if c.credentials == nil {
		return nil, awsapi.ErrNoCredentials
	}
	return t, nil
}

// errNoPath is the error of functions whose input names nothing.
var errNoPath = &amplify.Error{
	Name: invalidInput,
	Message: "Path or key parameter must be specified in the input. " +
		"Both can not be specified at the same time.",
	RecoverySuggestion: "Set Path to what storage.Path, storage.PathFunc or storage.Key returns " +
		"for a name that is not empty.",
}

// ResolveEndpoint implements [s3.EndpointResolverV2]: URLs and calls go to the same address.
func (t *target) ResolveEndpoint(
	context.Context, s3.EndpointParameters,
) (smithyendpoints.Endpoint, error) {
	return smithyendpoints.Endpoint{URI: *t.url}, nil
}

// as returns the options of a call at t with the given credentials.
func (t *target) as(credentials aws.Credentials) func(*s3.Options) {
	return func(o *s3.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		})
		o.EndpointResolverV2 = t
	}
}

// optional returns nil for an empty text.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// right is what S3 wants a caller to have: an action at a key or, to list, with a prefix.
type right struct {
	action storageaccess.Action
	at     *target
	key    string
}

// operation is a method of the S3 client.
type operation[In, Out any] func(
	*s3.Client, context.Context, *In, ...func(*s3.Options),
) (*Out, error)

// invoke calls an operation of S3 at t, with the credentials of the request. If S3 says that they
// have expired, it calls once more with new ones, as Amplify JS does. It needs rights, for the
// error that S3 returns without them.
func invoke[In, Out any](
	ctx context.Context, t *target, rights []right,
	call operation[In, Out], in *In, more ...func(*s3.Options),
) (*Out, error) {
	c, err := t.client(t.region)
	if err != nil {
		return nil, err
	}
	for refreshed := false; ; refreshed = true {
		credentials, err := t.renew(ctx, refreshed)
		if err != nil {
			return nil, err
		}
		out, err := call(c.Client, ctx, in, append(more, t.as(credentials))...)
		if err == nil {
			return out, nil
		}
		e := serviceError(err)
		if !refreshed && (e.Name == "ExpiredToken" || e.Name == headBadRequest) {
			continue
		}
		t.explain(ctx, e, rights)
		return nil, e
	}
}
