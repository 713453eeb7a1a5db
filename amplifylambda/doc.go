// Package amplifylambda serves the requests that reach an AWS Lambda function with an
// [http.Handler]:
//
//	lambda.Start(amplifylambda.Handler(app))
//
// It takes the events of function URLs, of API Gateway's HTTP APIs (payload formats 2.0 and 1.0)
// and REST APIs, and of Application Load Balancers. It tells them apart: one function can have
// several of them in front.
//
// # Requests
//
// A request is what net/http would have made of it: all Cookie lines, Host, the body in its bytes,
// and RemoteAddr with the caller's IP address (and port 0). Behind a load balancer that is the last
// address in X-Forwarded-For. Its context ends a moment before the function is stopped, so that the
// answer of a handler that heeds its context still gets out.
//
// The address is spelled as the client has sent it, as far as the events tell:
//
//   - function URL: path and query.
//   - load balancer: the path, and each parameter. Parameters of different names are sorted.
//   - REST API: the path. The query is decoded, and encoded again. On the default endpoint of an
//     API, https://id.execute-api.region.amazonaws.com/stage/notes, RequestURI has the stage and
//     URL.Path has not, as behind [http.StripPrefix]. With a custom domain both have the path of
//     the base path mapping.
//   - HTTP API: the query. The path is decoded, and encoded again: /a%2Fb arrives as /a/b. Use the
//     stage $default. Another one is part of the path.
//
// # Responses
//
// A response has all Set-Cookie lines. [Handler] sends it in one piece when the handler has
// returned; Flush fixes the header and sends nothing. [StreamingHandler] sends it while it is
// written. Neither sends informational responses (1xx) or trailers, and neither can be hijacked.
//
// A load balancer takes one line of each name unless multi-value headers are turned on for the
// target group (lambda.multi_value_headers.enabled). A session has several cookies, so all requests
// fail with an error that says so.
//
// A panic of a handler is logged and answered with status 500. It does not end the process, which
// would make the next request wait for a new one.
package amplifylambda
