// Loaded by `node --require`: connections to AWS's hosts that a sandbox serves go to the sandbox. The name stays
// in the TLS handshake, in the certificate's check and in the Host header, so that code needs no change.
'use strict';

const tls = require('node:tls');
const { hosts, address, port } = require('./sandbox.json');

const connect = tls.connect;

// tls.connect(options), (port, host, options) and (port, options), each with a callback or not: all clients of
// Node.js (fetch, https, http2) come through here.
tls.connect = function (...args) {
  const numbers = typeof args[0] === 'object' ? [] : [args.shift()];
  const names = typeof args[0] === 'string' ? [args.shift()] : [];
  const given = typeof args[0] === 'object' && args[0] !== null ? args.shift() : {};
  const options = { ...given };
  if (numbers.length) options.port = numbers[0];
  if (names.length) options.host = names[0];
  // A socket that is connected already was connected by someone who knows where to.
  if (!options.socket && hosts.includes(String(options.host).toLowerCase())) {
    options.servername ||= options.host;
    options.host = address;
    options.port = port;
  }
  return connect.call(this, options, ...args);
};

// ES modules that import connect by name see it, too.
require('node:module').syncBuiltinESMExports();
