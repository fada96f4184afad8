/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "protobufjs/minimal.js";

// Common aliases
const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError;

// Exported root namespace
const $root = $protobuf.roots["sotto-federation"] || ($protobuf.roots["sotto-federation"] = {});

export const grpc = $root.grpc = (() => {

    /**
     * Namespace grpc.
     * @exports grpc
     * @namespace
     */
    const grpc = {};

    grpc.health = (function() {

        /**
         * Namespace health.
         * @memberof grpc
         * @namespace
         */
        const health = {};

        health.v1 = (function() {

            /**
             * Namespace v1.
             * @memberof grpc.health
             * @namespace
             */
            const v1 = {};

            v1.HealthCheckRequest = (function() {

                /**
                 * Properties of a HealthCheckRequest.
                 * @typedef {Object} grpc.health.v1.HealthCheckRequest.$Properties
                 * @property {string|null} [service] HealthCheckRequest service
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a HealthCheckRequest.
                 * @memberof grpc.health.v1
                 * @interface IHealthCheckRequest
                 * @augments grpc.health.v1.HealthCheckRequest.$Properties
                 * @deprecated Use grpc.health.v1.HealthCheckRequest.$Properties instead.
                 */

                /**
                 * Shape of a HealthCheckRequest.
                 * @typedef {grpc.health.v1.HealthCheckRequest.$Properties} grpc.health.v1.HealthCheckRequest.$Shape
                 */

                /**
                 * Constructs a new HealthCheckRequest.
                 * @memberof grpc.health.v1
                 * @classdesc Represents a HealthCheckRequest.
                 * @constructor
                 * @param {grpc.health.v1.HealthCheckRequest.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const HealthCheckRequest = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * HealthCheckRequest service.
                 * @member {string} service
                 * @memberof grpc.health.v1.HealthCheckRequest
                 * @instance
                 */
                HealthCheckRequest.prototype.service = "";

                /**
                 * Creates a new HealthCheckRequest instance using the specified properties.
                 * @function create
                 * @memberof grpc.health.v1.HealthCheckRequest
                 * @static
                 * @param {grpc.health.v1.HealthCheckRequest.$Properties=} [properties] Properties to set
                 * @returns {grpc.health.v1.HealthCheckRequest} HealthCheckRequest instance
                 * @type {{
                 *   (properties: grpc.health.v1.HealthCheckRequest.$Shape): grpc.health.v1.HealthCheckRequest & grpc.health.v1.HealthCheckRequest.$Shape;
                 *   (properties?: grpc.health.v1.HealthCheckRequest.$Properties): grpc.health.v1.HealthCheckRequest;
                 * }}
                 */
                HealthCheckRequest.create = function(properties) {
                    return new HealthCheckRequest(properties);
                };

                /**
                 * Encodes the specified HealthCheckRequest message. Does not implicitly {@link grpc.health.v1.HealthCheckRequest.verify|verify} messages.
                 * @function encode
                 * @memberof grpc.health.v1.HealthCheckRequest
                 * @static
                 * @param {grpc.health.v1.HealthCheckRequest.$Properties} message HealthCheckRequest message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                HealthCheckRequest.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.service != null && $Object.hasOwnProperty.call(message, "service") && message.service !== "")
                        writer.uint32(/* id 1, wireType 2 =*/10).string(message.service);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a HealthCheckRequest message from the specified reader or buffer.
                 * @function decode
                 * @memberof grpc.health.v1.HealthCheckRequest
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {grpc.health.v1.HealthCheckRequest & grpc.health.v1.HealthCheckRequest.$Shape} HealthCheckRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                HealthCheckRequest.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.grpc.health.v1.HealthCheckRequest();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.service = value;
                                else
                                    delete message.service;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return HealthCheckRequest;
            })();

            v1.HealthCheckResponse = (function() {

                /**
                 * Properties of a HealthCheckResponse.
                 * @typedef {Object} grpc.health.v1.HealthCheckResponse.$Properties
                 * @property {grpc.health.v1.HealthCheckResponse.ServingStatus|null} [status] HealthCheckResponse status
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a HealthCheckResponse.
                 * @memberof grpc.health.v1
                 * @interface IHealthCheckResponse
                 * @augments grpc.health.v1.HealthCheckResponse.$Properties
                 * @deprecated Use grpc.health.v1.HealthCheckResponse.$Properties instead.
                 */

                /**
                 * Shape of a HealthCheckResponse.
                 * @typedef {grpc.health.v1.HealthCheckResponse.$Properties} grpc.health.v1.HealthCheckResponse.$Shape
                 */

                /**
                 * Constructs a new HealthCheckResponse.
                 * @memberof grpc.health.v1
                 * @classdesc Represents a HealthCheckResponse.
                 * @constructor
                 * @param {grpc.health.v1.HealthCheckResponse.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const HealthCheckResponse = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * HealthCheckResponse status.
                 * @member {grpc.health.v1.HealthCheckResponse.ServingStatus} status
                 * @memberof grpc.health.v1.HealthCheckResponse
                 * @instance
                 */
                HealthCheckResponse.prototype.status = 0;

                /**
                 * Creates a new HealthCheckResponse instance using the specified properties.
                 * @function create
                 * @memberof grpc.health.v1.HealthCheckResponse
                 * @static
                 * @param {grpc.health.v1.HealthCheckResponse.$Properties=} [properties] Properties to set
                 * @returns {grpc.health.v1.HealthCheckResponse} HealthCheckResponse instance
                 * @type {{
                 *   (properties: grpc.health.v1.HealthCheckResponse.$Shape): grpc.health.v1.HealthCheckResponse & grpc.health.v1.HealthCheckResponse.$Shape;
                 *   (properties?: grpc.health.v1.HealthCheckResponse.$Properties): grpc.health.v1.HealthCheckResponse;
                 * }}
                 */
                HealthCheckResponse.create = function(properties) {
                    return new HealthCheckResponse(properties);
                };

                /**
                 * Encodes the specified HealthCheckResponse message. Does not implicitly {@link grpc.health.v1.HealthCheckResponse.verify|verify} messages.
                 * @function encode
                 * @memberof grpc.health.v1.HealthCheckResponse
                 * @static
                 * @param {grpc.health.v1.HealthCheckResponse.$Properties} message HealthCheckResponse message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                HealthCheckResponse.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.status != null && $Object.hasOwnProperty.call(message, "status") && message.status !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).int32(message.status);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a HealthCheckResponse message from the specified reader or buffer.
                 * @function decode
                 * @memberof grpc.health.v1.HealthCheckResponse
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {grpc.health.v1.HealthCheckResponse & grpc.health.v1.HealthCheckResponse.$Shape} HealthCheckResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                HealthCheckResponse.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.grpc.health.v1.HealthCheckResponse();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.int32())
                                    message.status = value;
                                else
                                    delete message.status;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                /**
                 * ServingStatus enum.
                 * @name grpc.health.v1.HealthCheckResponse.ServingStatus
                 * @enum {number}
                 * @property {number} UNKNOWN=0 UNKNOWN value
                 * @property {number} SERVING=1 SERVING value
                 * @property {number} NOT_SERVING=2 NOT_SERVING value
                 * @property {number} SERVICE_UNKNOWN=3 SERVICE_UNKNOWN value
                 */
                HealthCheckResponse.ServingStatus = (function() {
                    const valuesById = $Object.create(null), values = $Object.create(valuesById);
                    values[valuesById[0] = "UNKNOWN"] = 0;
                    values[valuesById[1] = "SERVING"] = 1;
                    values[valuesById[2] = "NOT_SERVING"] = 2;
                    values[valuesById[3] = "SERVICE_UNKNOWN"] = 3;
                    return values;
                })();

                return HealthCheckResponse;
            })();

            return v1;
        })();

        return health;
    })();

    return grpc;
})();

export const sotto = $root.sotto = (() => {

    /**
     * Namespace sotto.
     * @exports sotto
     * @namespace
     */
    const sotto = {};

    sotto.federation = (function() {

        /**
         * Namespace federation.
         * @memberof sotto
         * @namespace
         */
        const federation = {};

        federation.v1 = (function() {

            /**
             * Namespace v1.
             * @memberof sotto.federation
             * @namespace
             */
            const v1 = {};

            v1.HelloRequest = (function() {

                /**
                 * Properties of a HelloRequest.
                 * @typedef {Object} sotto.federation.v1.HelloRequest.$Properties
                 * @property {number|null} [protocolVersion] HelloRequest protocolVersion
                 * @property {number|null} [knownLogSize] HelloRequest knownLogSize
                 * @property {Uint8Array|null} [identityCertificate] HelloRequest identityCertificate
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a HelloRequest.
                 * @memberof sotto.federation.v1
                 * @interface IHelloRequest
                 * @augments sotto.federation.v1.HelloRequest.$Properties
                 * @deprecated Use sotto.federation.v1.HelloRequest.$Properties instead.
                 */

                /**
                 * Shape of a HelloRequest.
                 * @typedef {sotto.federation.v1.HelloRequest.$Properties} sotto.federation.v1.HelloRequest.$Shape
                 */

                /**
                 * Constructs a new HelloRequest.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents a HelloRequest.
                 * @constructor
                 * @param {sotto.federation.v1.HelloRequest.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const HelloRequest = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * HelloRequest protocolVersion.
                 * @member {number} protocolVersion
                 * @memberof sotto.federation.v1.HelloRequest
                 * @instance
                 */
                HelloRequest.prototype.protocolVersion = 0;

                /**
                 * HelloRequest knownLogSize.
                 * @member {number} knownLogSize
                 * @memberof sotto.federation.v1.HelloRequest
                 * @instance
                 */
                HelloRequest.prototype.knownLogSize = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * HelloRequest identityCertificate.
                 * @member {Uint8Array} identityCertificate
                 * @memberof sotto.federation.v1.HelloRequest
                 * @instance
                 */
                HelloRequest.prototype.identityCertificate = $util.newBuffer([]);

                /**
                 * Creates a new HelloRequest instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.HelloRequest
                 * @static
                 * @param {sotto.federation.v1.HelloRequest.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.HelloRequest} HelloRequest instance
                 * @type {{
                 *   (properties: sotto.federation.v1.HelloRequest.$Shape): sotto.federation.v1.HelloRequest & sotto.federation.v1.HelloRequest.$Shape;
                 *   (properties?: sotto.federation.v1.HelloRequest.$Properties): sotto.federation.v1.HelloRequest;
                 * }}
                 */
                HelloRequest.create = function(properties) {
                    return new HelloRequest(properties);
                };

                /**
                 * Encodes the specified HelloRequest message. Does not implicitly {@link sotto.federation.v1.HelloRequest.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.HelloRequest
                 * @static
                 * @param {sotto.federation.v1.HelloRequest.$Properties} message HelloRequest message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                HelloRequest.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.protocolVersion != null && $Object.hasOwnProperty.call(message, "protocolVersion") && message.protocolVersion !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.protocolVersion);
                    if (message.knownLogSize != null && $Object.hasOwnProperty.call(message, "knownLogSize") && (typeof message.knownLogSize === "object" ? message.knownLogSize.low || message.knownLogSize.high : message.knownLogSize !== 0))
                        writer.uint32(/* id 2, wireType 0 =*/16).uint64(message.knownLogSize);
                    if (message.identityCertificate != null && $Object.hasOwnProperty.call(message, "identityCertificate") && message.identityCertificate.length)
                        writer.uint32(/* id 3, wireType 2 =*/26).bytes(message.identityCertificate);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a HelloRequest message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.HelloRequest
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.HelloRequest & sotto.federation.v1.HelloRequest.$Shape} HelloRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                HelloRequest.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.HelloRequest();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.protocolVersion = value;
                                else
                                    delete message.protocolVersion;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.knownLogSize = value;
                                else
                                    delete message.knownLogSize;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.identityCertificate = value;
                                else
                                    delete message.identityCertificate;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return HelloRequest;
            })();

            v1.HelloResponse = (function() {

                /**
                 * Properties of a HelloResponse.
                 * @typedef {Object} sotto.federation.v1.HelloResponse.$Properties
                 * @property {number|null} [protocolVersion] HelloResponse protocolVersion
                 * @property {Uint8Array|null} [identityCertificate] HelloResponse identityCertificate
                 * @property {Uint8Array|null} [plan] HelloResponse plan
                 * @property {Uint8Array|null} [planSignature] HelloResponse planSignature
                 * @property {sotto.federation.v1.LogView.$Properties|null} [log] HelloResponse log
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a HelloResponse.
                 * @memberof sotto.federation.v1
                 * @interface IHelloResponse
                 * @augments sotto.federation.v1.HelloResponse.$Properties
                 * @deprecated Use sotto.federation.v1.HelloResponse.$Properties instead.
                 */

                /**
                 * Shape of a HelloResponse.
                 * @typedef {sotto.federation.v1.HelloResponse.$Properties} sotto.federation.v1.HelloResponse.$Shape
                 */

                /**
                 * Constructs a new HelloResponse.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents a HelloResponse.
                 * @constructor
                 * @param {sotto.federation.v1.HelloResponse.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const HelloResponse = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * HelloResponse protocolVersion.
                 * @member {number} protocolVersion
                 * @memberof sotto.federation.v1.HelloResponse
                 * @instance
                 */
                HelloResponse.prototype.protocolVersion = 0;

                /**
                 * HelloResponse identityCertificate.
                 * @member {Uint8Array} identityCertificate
                 * @memberof sotto.federation.v1.HelloResponse
                 * @instance
                 */
                HelloResponse.prototype.identityCertificate = $util.newBuffer([]);

                /**
                 * HelloResponse plan.
                 * @member {Uint8Array} plan
                 * @memberof sotto.federation.v1.HelloResponse
                 * @instance
                 */
                HelloResponse.prototype.plan = $util.newBuffer([]);

                /**
                 * HelloResponse planSignature.
                 * @member {Uint8Array} planSignature
                 * @memberof sotto.federation.v1.HelloResponse
                 * @instance
                 */
                HelloResponse.prototype.planSignature = $util.newBuffer([]);

                /**
                 * HelloResponse log.
                 * @member {sotto.federation.v1.LogView.$Properties|null|undefined} log
                 * @memberof sotto.federation.v1.HelloResponse
                 * @instance
                 */
                HelloResponse.prototype.log = null;

                /**
                 * Creates a new HelloResponse instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.HelloResponse
                 * @static
                 * @param {sotto.federation.v1.HelloResponse.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.HelloResponse} HelloResponse instance
                 * @type {{
                 *   (properties: sotto.federation.v1.HelloResponse.$Shape): sotto.federation.v1.HelloResponse & sotto.federation.v1.HelloResponse.$Shape;
                 *   (properties?: sotto.federation.v1.HelloResponse.$Properties): sotto.federation.v1.HelloResponse;
                 * }}
                 */
                HelloResponse.create = function(properties) {
                    return new HelloResponse(properties);
                };

                /**
                 * Encodes the specified HelloResponse message. Does not implicitly {@link sotto.federation.v1.HelloResponse.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.HelloResponse
                 * @static
                 * @param {sotto.federation.v1.HelloResponse.$Properties} message HelloResponse message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                HelloResponse.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.protocolVersion != null && $Object.hasOwnProperty.call(message, "protocolVersion") && message.protocolVersion !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.protocolVersion);
                    if (message.identityCertificate != null && $Object.hasOwnProperty.call(message, "identityCertificate") && message.identityCertificate.length)
                        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.identityCertificate);
                    if (message.plan != null && $Object.hasOwnProperty.call(message, "plan") && message.plan.length)
                        writer.uint32(/* id 3, wireType 2 =*/26).bytes(message.plan);
                    if (message.planSignature != null && $Object.hasOwnProperty.call(message, "planSignature") && message.planSignature.length)
                        writer.uint32(/* id 4, wireType 2 =*/34).bytes(message.planSignature);
                    if (message.log != null && $Object.hasOwnProperty.call(message, "log"))
                        $root.sotto.federation.v1.LogView.encode(message.log, writer.uint32(/* id 5, wireType 2 =*/42).fork(), _depth + 1).ldelim();
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a HelloResponse message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.HelloResponse
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.HelloResponse & sotto.federation.v1.HelloResponse.$Shape} HelloResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                HelloResponse.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.HelloResponse();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.protocolVersion = value;
                                else
                                    delete message.protocolVersion;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.identityCertificate = value;
                                else
                                    delete message.identityCertificate;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.plan = value;
                                else
                                    delete message.plan;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.planSignature = value;
                                else
                                    delete message.planSignature;
                                continue;
                            }
                        case 5: {
                                if (wireType !== 2)
                                    break;
                                message.log = $root.sotto.federation.v1.LogView.decode(reader, reader.size(), $undefined, _depth + 1, message.log);
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return HelloResponse;
            })();

            v1.LogView = (function() {

                /**
                 * Properties of a LogView.
                 * @typedef {Object} sotto.federation.v1.LogView.$Properties
                 * @property {Uint8Array|null} [checkpoint] LogView checkpoint
                 * @property {Array.<Uint8Array>|null} [consistencyProof] LogView consistencyProof
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a LogView.
                 * @memberof sotto.federation.v1
                 * @interface ILogView
                 * @augments sotto.federation.v1.LogView.$Properties
                 * @deprecated Use sotto.federation.v1.LogView.$Properties instead.
                 */

                /**
                 * Shape of a LogView.
                 * @typedef {sotto.federation.v1.LogView.$Properties} sotto.federation.v1.LogView.$Shape
                 */

                /**
                 * Constructs a new LogView.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents a LogView.
                 * @constructor
                 * @param {sotto.federation.v1.LogView.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const LogView = function (properties) {
                    this.consistencyProof = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * LogView checkpoint.
                 * @member {Uint8Array} checkpoint
                 * @memberof sotto.federation.v1.LogView
                 * @instance
                 */
                LogView.prototype.checkpoint = $util.newBuffer([]);

                /**
                 * LogView consistencyProof.
                 * @member {Array.<Uint8Array>} consistencyProof
                 * @memberof sotto.federation.v1.LogView
                 * @instance
                 */
                LogView.prototype.consistencyProof = $util.emptyArray;

                /**
                 * Creates a new LogView instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.LogView
                 * @static
                 * @param {sotto.federation.v1.LogView.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.LogView} LogView instance
                 * @type {{
                 *   (properties: sotto.federation.v1.LogView.$Shape): sotto.federation.v1.LogView & sotto.federation.v1.LogView.$Shape;
                 *   (properties?: sotto.federation.v1.LogView.$Properties): sotto.federation.v1.LogView;
                 * }}
                 */
                LogView.create = function(properties) {
                    return new LogView(properties);
                };

                /**
                 * Encodes the specified LogView message. Does not implicitly {@link sotto.federation.v1.LogView.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.LogView
                 * @static
                 * @param {sotto.federation.v1.LogView.$Properties} message LogView message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                LogView.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.checkpoint != null && $Object.hasOwnProperty.call(message, "checkpoint") && message.checkpoint.length)
                        writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.checkpoint);
                    if (message.consistencyProof != null && message.consistencyProof.length)
                        for (let i = 0; i < message.consistencyProof.length; ++i)
                            writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.consistencyProof[i]);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a LogView message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.LogView
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.LogView & sotto.federation.v1.LogView.$Shape} LogView
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                LogView.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.LogView();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.checkpoint = value;
                                else
                                    delete message.checkpoint;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.consistencyProof && message.consistencyProof.length))
                                    message.consistencyProof = [];
                                message.consistencyProof.push(reader.bytes());
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return LogView;
            })();

            v1.AwaitRoundRequest = (function() {

                /**
                 * Properties of an AwaitRoundRequest.
                 * @typedef {Object} sotto.federation.v1.AwaitRoundRequest.$Properties
                 * @property {number|null} [knownLogSize] AwaitRoundRequest knownLogSize
                 * @property {number|null} [lastRound] AwaitRoundRequest lastRound
                 * @property {number|null} [lastAttempt] AwaitRoundRequest lastAttempt
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of an AwaitRoundRequest.
                 * @memberof sotto.federation.v1
                 * @interface IAwaitRoundRequest
                 * @augments sotto.federation.v1.AwaitRoundRequest.$Properties
                 * @deprecated Use sotto.federation.v1.AwaitRoundRequest.$Properties instead.
                 */

                /**
                 * Shape of an AwaitRoundRequest.
                 * @typedef {sotto.federation.v1.AwaitRoundRequest.$Properties} sotto.federation.v1.AwaitRoundRequest.$Shape
                 */

                /**
                 * Constructs a new AwaitRoundRequest.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents an AwaitRoundRequest.
                 * @constructor
                 * @param {sotto.federation.v1.AwaitRoundRequest.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const AwaitRoundRequest = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * AwaitRoundRequest knownLogSize.
                 * @member {number} knownLogSize
                 * @memberof sotto.federation.v1.AwaitRoundRequest
                 * @instance
                 */
                AwaitRoundRequest.prototype.knownLogSize = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * AwaitRoundRequest lastRound.
                 * @member {number} lastRound
                 * @memberof sotto.federation.v1.AwaitRoundRequest
                 * @instance
                 */
                AwaitRoundRequest.prototype.lastRound = 0;

                /**
                 * AwaitRoundRequest lastAttempt.
                 * @member {number} lastAttempt
                 * @memberof sotto.federation.v1.AwaitRoundRequest
                 * @instance
                 */
                AwaitRoundRequest.prototype.lastAttempt = 0;

                /**
                 * Creates a new AwaitRoundRequest instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.AwaitRoundRequest
                 * @static
                 * @param {sotto.federation.v1.AwaitRoundRequest.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.AwaitRoundRequest} AwaitRoundRequest instance
                 * @type {{
                 *   (properties: sotto.federation.v1.AwaitRoundRequest.$Shape): sotto.federation.v1.AwaitRoundRequest & sotto.federation.v1.AwaitRoundRequest.$Shape;
                 *   (properties?: sotto.federation.v1.AwaitRoundRequest.$Properties): sotto.federation.v1.AwaitRoundRequest;
                 * }}
                 */
                AwaitRoundRequest.create = function(properties) {
                    return new AwaitRoundRequest(properties);
                };

                /**
                 * Encodes the specified AwaitRoundRequest message. Does not implicitly {@link sotto.federation.v1.AwaitRoundRequest.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.AwaitRoundRequest
                 * @static
                 * @param {sotto.federation.v1.AwaitRoundRequest.$Properties} message AwaitRoundRequest message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                AwaitRoundRequest.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.knownLogSize != null && $Object.hasOwnProperty.call(message, "knownLogSize") && (typeof message.knownLogSize === "object" ? message.knownLogSize.low || message.knownLogSize.high : message.knownLogSize !== 0))
                        writer.uint32(/* id 1, wireType 0 =*/8).uint64(message.knownLogSize);
                    if (message.lastRound != null && $Object.hasOwnProperty.call(message, "lastRound") && message.lastRound !== 0)
                        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.lastRound);
                    if (message.lastAttempt != null && $Object.hasOwnProperty.call(message, "lastAttempt") && message.lastAttempt !== 0)
                        writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.lastAttempt);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes an AwaitRoundRequest message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.AwaitRoundRequest
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.AwaitRoundRequest & sotto.federation.v1.AwaitRoundRequest.$Shape} AwaitRoundRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                AwaitRoundRequest.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.AwaitRoundRequest();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.knownLogSize = value;
                                else
                                    delete message.knownLogSize;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.lastRound = value;
                                else
                                    delete message.lastRound;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.lastAttempt = value;
                                else
                                    delete message.lastAttempt;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return AwaitRoundRequest;
            })();

            v1.AwaitRoundResponse = (function() {

                /**
                 * Properties of an AwaitRoundResponse.
                 * @typedef {Object} sotto.federation.v1.AwaitRoundResponse.$Properties
                 * @property {sotto.federation.v1.Nothing.$Properties|null} [nothing] AwaitRoundResponse nothing
                 * @property {sotto.federation.v1.RoundOffer.$Properties|null} [offer] AwaitRoundResponse offer
                 * @property {sotto.federation.v1.RunFinished.$Properties|null} [finished] AwaitRoundResponse finished
                 * @property {sotto.federation.v1.LogView.$Properties|null} [log] AwaitRoundResponse log
                 * @property {"nothing"|"offer"|"finished"} [answer] AwaitRoundResponse answer
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of an AwaitRoundResponse.
                 * @memberof sotto.federation.v1
                 * @interface IAwaitRoundResponse
                 * @augments sotto.federation.v1.AwaitRoundResponse.$Properties
                 * @deprecated Use sotto.federation.v1.AwaitRoundResponse.$Properties instead.
                 */

                /**
                 * Narrowed shape of an AwaitRoundResponse.
                 * @typedef {{
                 *   nothing?: sotto.federation.v1.Nothing.$Shape|null;
                 *   offer?: sotto.federation.v1.RoundOffer.$Shape|null;
                 *   finished?: sotto.federation.v1.RunFinished.$Shape|null;
                 *   log?: sotto.federation.v1.LogView.$Shape|null;
                 *   $unknowns?: Array.<Uint8Array>;
                 * } & (
                 *   ({ answer?: undefined; nothing?: null; offer?: null; finished?: null }|{ answer?: "nothing"; nothing: sotto.federation.v1.Nothing.$Shape; offer?: null; finished?: null }|{ answer?: "offer"; nothing?: null; offer: sotto.federation.v1.RoundOffer.$Shape; finished?: null }|{ answer?: "finished"; nothing?: null; offer?: null; finished: sotto.federation.v1.RunFinished.$Shape })
                 * )} sotto.federation.v1.AwaitRoundResponse.$Shape
                 */

                /**
                 * Constructs a new AwaitRoundResponse.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents an AwaitRoundResponse.
                 * @constructor
                 * @param {sotto.federation.v1.AwaitRoundResponse.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const AwaitRoundResponse = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * AwaitRoundResponse nothing.
                 * @member {sotto.federation.v1.Nothing.$Properties|null|undefined} nothing
                 * @memberof sotto.federation.v1.AwaitRoundResponse
                 * @instance
                 */
                AwaitRoundResponse.prototype.nothing = null;

                /**
                 * AwaitRoundResponse offer.
                 * @member {sotto.federation.v1.RoundOffer.$Properties|null|undefined} offer
                 * @memberof sotto.federation.v1.AwaitRoundResponse
                 * @instance
                 */
                AwaitRoundResponse.prototype.offer = null;

                /**
                 * AwaitRoundResponse finished.
                 * @member {sotto.federation.v1.RunFinished.$Properties|null|undefined} finished
                 * @memberof sotto.federation.v1.AwaitRoundResponse
                 * @instance
                 */
                AwaitRoundResponse.prototype.finished = null;

                /**
                 * AwaitRoundResponse log.
                 * @member {sotto.federation.v1.LogView.$Properties|null|undefined} log
                 * @memberof sotto.federation.v1.AwaitRoundResponse
                 * @instance
                 */
                AwaitRoundResponse.prototype.log = null;

                // OneOf field names bound to virtual getters and setters
                let $oneOfFields;

                /**
                 * AwaitRoundResponse answer.
                 * @member {"nothing"|"offer"|"finished"|undefined} answer
                 * @memberof sotto.federation.v1.AwaitRoundResponse
                 * @instance
                 */
                $Object.defineProperty(AwaitRoundResponse.prototype, "answer", {
                    get: $util.oneOfGetter($oneOfFields = ["nothing", "offer", "finished"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                /**
                 * Creates a new AwaitRoundResponse instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.AwaitRoundResponse
                 * @static
                 * @param {sotto.federation.v1.AwaitRoundResponse.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.AwaitRoundResponse} AwaitRoundResponse instance
                 * @type {{
                 *   (properties: sotto.federation.v1.AwaitRoundResponse.$Shape): sotto.federation.v1.AwaitRoundResponse & sotto.federation.v1.AwaitRoundResponse.$Shape;
                 *   (properties?: sotto.federation.v1.AwaitRoundResponse.$Properties): sotto.federation.v1.AwaitRoundResponse;
                 * }}
                 */
                AwaitRoundResponse.create = function(properties) {
                    return new AwaitRoundResponse(properties);
                };

                /**
                 * Encodes the specified AwaitRoundResponse message. Does not implicitly {@link sotto.federation.v1.AwaitRoundResponse.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.AwaitRoundResponse
                 * @static
                 * @param {sotto.federation.v1.AwaitRoundResponse.$Properties} message AwaitRoundResponse message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                AwaitRoundResponse.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.nothing != null && $Object.hasOwnProperty.call(message, "nothing"))
                        $root.sotto.federation.v1.Nothing.encode(message.nothing, writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
                    if (message.offer != null && $Object.hasOwnProperty.call(message, "offer"))
                        $root.sotto.federation.v1.RoundOffer.encode(message.offer, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
                    if (message.finished != null && $Object.hasOwnProperty.call(message, "finished"))
                        $root.sotto.federation.v1.RunFinished.encode(message.finished, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
                    if (message.log != null && $Object.hasOwnProperty.call(message, "log"))
                        $root.sotto.federation.v1.LogView.encode(message.log, writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes an AwaitRoundResponse message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.AwaitRoundResponse
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.AwaitRoundResponse & sotto.federation.v1.AwaitRoundResponse.$Shape} AwaitRoundResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                AwaitRoundResponse.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.AwaitRoundResponse();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                message.nothing = $root.sotto.federation.v1.Nothing.decode(reader, reader.size(), $undefined, _depth + 1, message.nothing);
                                message.answer = "nothing";
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                message.offer = $root.sotto.federation.v1.RoundOffer.decode(reader, reader.size(), $undefined, _depth + 1, message.offer);
                                message.answer = "offer";
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                message.finished = $root.sotto.federation.v1.RunFinished.decode(reader, reader.size(), $undefined, _depth + 1, message.finished);
                                message.answer = "finished";
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                message.log = $root.sotto.federation.v1.LogView.decode(reader, reader.size(), $undefined, _depth + 1, message.log);
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return AwaitRoundResponse;
            })();

            v1.Nothing = (function() {

                /**
                 * Properties of a Nothing.
                 * @typedef {Object} sotto.federation.v1.Nothing.$Properties
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Nothing.
                 * @memberof sotto.federation.v1
                 * @interface INothing
                 * @augments sotto.federation.v1.Nothing.$Properties
                 * @deprecated Use sotto.federation.v1.Nothing.$Properties instead.
                 */

                /**
                 * Shape of a Nothing.
                 * @typedef {sotto.federation.v1.Nothing.$Properties} sotto.federation.v1.Nothing.$Shape
                 */

                /**
                 * Constructs a new Nothing.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents a Nothing.
                 * @constructor
                 * @param {sotto.federation.v1.Nothing.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Nothing = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Creates a new Nothing instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.Nothing
                 * @static
                 * @param {sotto.federation.v1.Nothing.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.Nothing} Nothing instance
                 * @type {{
                 *   (properties: sotto.federation.v1.Nothing.$Shape): sotto.federation.v1.Nothing & sotto.federation.v1.Nothing.$Shape;
                 *   (properties?: sotto.federation.v1.Nothing.$Properties): sotto.federation.v1.Nothing;
                 * }}
                 */
                Nothing.create = function(properties) {
                    return new Nothing(properties);
                };

                /**
                 * Encodes the specified Nothing message. Does not implicitly {@link sotto.federation.v1.Nothing.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.Nothing
                 * @static
                 * @param {sotto.federation.v1.Nothing.$Properties} message Nothing message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Nothing.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Nothing message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.Nothing
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.Nothing & sotto.federation.v1.Nothing.$Shape} Nothing
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Nothing.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.Nothing();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        reader.skipType(tag & 7, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Nothing;
            })();

            v1.RoundOffer = (function() {

                /**
                 * Properties of a RoundOffer.
                 * @typedef {Object} sotto.federation.v1.RoundOffer.$Properties
                 * @property {number|null} [round] RoundOffer round
                 * @property {number|null} [attempt] RoundOffer attempt
                 * @property {Uint8Array|null} [weights] RoundOffer weights
                 * @property {number|null} [deadlineMs] RoundOffer deadlineMs
                 * @property {Uint8Array|null} [signature] RoundOffer signature
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a RoundOffer.
                 * @memberof sotto.federation.v1
                 * @interface IRoundOffer
                 * @augments sotto.federation.v1.RoundOffer.$Properties
                 * @deprecated Use sotto.federation.v1.RoundOffer.$Properties instead.
                 */

                /**
                 * Shape of a RoundOffer.
                 * @typedef {sotto.federation.v1.RoundOffer.$Properties} sotto.federation.v1.RoundOffer.$Shape
                 */

                /**
                 * Constructs a new RoundOffer.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents a RoundOffer.
                 * @constructor
                 * @param {sotto.federation.v1.RoundOffer.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const RoundOffer = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * RoundOffer round.
                 * @member {number} round
                 * @memberof sotto.federation.v1.RoundOffer
                 * @instance
                 */
                RoundOffer.prototype.round = 0;

                /**
                 * RoundOffer attempt.
                 * @member {number} attempt
                 * @memberof sotto.federation.v1.RoundOffer
                 * @instance
                 */
                RoundOffer.prototype.attempt = 0;

                /**
                 * RoundOffer weights.
                 * @member {Uint8Array} weights
                 * @memberof sotto.federation.v1.RoundOffer
                 * @instance
                 */
                RoundOffer.prototype.weights = $util.newBuffer([]);

                /**
                 * RoundOffer deadlineMs.
                 * @member {number} deadlineMs
                 * @memberof sotto.federation.v1.RoundOffer
                 * @instance
                 */
                RoundOffer.prototype.deadlineMs = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * RoundOffer signature.
                 * @member {Uint8Array} signature
                 * @memberof sotto.federation.v1.RoundOffer
                 * @instance
                 */
                RoundOffer.prototype.signature = $util.newBuffer([]);

                /**
                 * Creates a new RoundOffer instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.RoundOffer
                 * @static
                 * @param {sotto.federation.v1.RoundOffer.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.RoundOffer} RoundOffer instance
                 * @type {{
                 *   (properties: sotto.federation.v1.RoundOffer.$Shape): sotto.federation.v1.RoundOffer & sotto.federation.v1.RoundOffer.$Shape;
                 *   (properties?: sotto.federation.v1.RoundOffer.$Properties): sotto.federation.v1.RoundOffer;
                 * }}
                 */
                RoundOffer.create = function(properties) {
                    return new RoundOffer(properties);
                };

                /**
                 * Encodes the specified RoundOffer message. Does not implicitly {@link sotto.federation.v1.RoundOffer.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.RoundOffer
                 * @static
                 * @param {sotto.federation.v1.RoundOffer.$Properties} message RoundOffer message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                RoundOffer.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.round != null && $Object.hasOwnProperty.call(message, "round") && message.round !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.round);
                    if (message.attempt != null && $Object.hasOwnProperty.call(message, "attempt") && message.attempt !== 0)
                        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.attempt);
                    if (message.weights != null && $Object.hasOwnProperty.call(message, "weights") && message.weights.length)
                        writer.uint32(/* id 3, wireType 2 =*/26).bytes(message.weights);
                    if (message.deadlineMs != null && $Object.hasOwnProperty.call(message, "deadlineMs") && (typeof message.deadlineMs === "object" ? message.deadlineMs.low || message.deadlineMs.high : message.deadlineMs !== 0))
                        writer.uint32(/* id 4, wireType 0 =*/32).uint64(message.deadlineMs);
                    if (message.signature != null && $Object.hasOwnProperty.call(message, "signature") && message.signature.length)
                        writer.uint32(/* id 5, wireType 2 =*/42).bytes(message.signature);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a RoundOffer message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.RoundOffer
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.RoundOffer & sotto.federation.v1.RoundOffer.$Shape} RoundOffer
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                RoundOffer.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.RoundOffer();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.round = value;
                                else
                                    delete message.round;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.attempt = value;
                                else
                                    delete message.attempt;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.weights = value;
                                else
                                    delete message.weights;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.deadlineMs = value;
                                else
                                    delete message.deadlineMs;
                                continue;
                            }
                        case 5: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.signature = value;
                                else
                                    delete message.signature;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return RoundOffer;
            })();

            v1.RunFinished = (function() {

                /**
                 * Properties of a RunFinished.
                 * @typedef {Object} sotto.federation.v1.RunFinished.$Properties
                 * @property {number|null} [published] RunFinished published
                 * @property {number|null} [aborted] RunFinished aborted
                 * @property {Uint8Array|null} [weights] RunFinished weights
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a RunFinished.
                 * @memberof sotto.federation.v1
                 * @interface IRunFinished
                 * @augments sotto.federation.v1.RunFinished.$Properties
                 * @deprecated Use sotto.federation.v1.RunFinished.$Properties instead.
                 */

                /**
                 * Shape of a RunFinished.
                 * @typedef {sotto.federation.v1.RunFinished.$Properties} sotto.federation.v1.RunFinished.$Shape
                 */

                /**
                 * Constructs a new RunFinished.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents a RunFinished.
                 * @constructor
                 * @param {sotto.federation.v1.RunFinished.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const RunFinished = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * RunFinished published.
                 * @member {number} published
                 * @memberof sotto.federation.v1.RunFinished
                 * @instance
                 */
                RunFinished.prototype.published = 0;

                /**
                 * RunFinished aborted.
                 * @member {number} aborted
                 * @memberof sotto.federation.v1.RunFinished
                 * @instance
                 */
                RunFinished.prototype.aborted = 0;

                /**
                 * RunFinished weights.
                 * @member {Uint8Array} weights
                 * @memberof sotto.federation.v1.RunFinished
                 * @instance
                 */
                RunFinished.prototype.weights = $util.newBuffer([]);

                /**
                 * Creates a new RunFinished instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.RunFinished
                 * @static
                 * @param {sotto.federation.v1.RunFinished.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.RunFinished} RunFinished instance
                 * @type {{
                 *   (properties: sotto.federation.v1.RunFinished.$Shape): sotto.federation.v1.RunFinished & sotto.federation.v1.RunFinished.$Shape;
                 *   (properties?: sotto.federation.v1.RunFinished.$Properties): sotto.federation.v1.RunFinished;
                 * }}
                 */
                RunFinished.create = function(properties) {
                    return new RunFinished(properties);
                };

                /**
                 * Encodes the specified RunFinished message. Does not implicitly {@link sotto.federation.v1.RunFinished.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.RunFinished
                 * @static
                 * @param {sotto.federation.v1.RunFinished.$Properties} message RunFinished message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                RunFinished.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.published != null && $Object.hasOwnProperty.call(message, "published") && message.published !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.published);
                    if (message.aborted != null && $Object.hasOwnProperty.call(message, "aborted") && message.aborted !== 0)
                        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.aborted);
                    if (message.weights != null && $Object.hasOwnProperty.call(message, "weights") && message.weights.length)
                        writer.uint32(/* id 3, wireType 2 =*/26).bytes(message.weights);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a RunFinished message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.RunFinished
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.RunFinished & sotto.federation.v1.RunFinished.$Shape} RunFinished
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                RunFinished.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.RunFinished();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.published = value;
                                else
                                    delete message.published;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.aborted = value;
                                else
                                    delete message.aborted;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.weights = value;
                                else
                                    delete message.weights;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return RunFinished;
            })();

            v1.StageRequest = (function() {

                /**
                 * Properties of a StageRequest.
                 * @typedef {Object} sotto.federation.v1.StageRequest.$Properties
                 * @property {number|null} [round] StageRequest round
                 * @property {number|null} [attempt] StageRequest attempt
                 * @property {Uint8Array|null} [message] StageRequest message
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a StageRequest.
                 * @memberof sotto.federation.v1
                 * @interface IStageRequest
                 * @augments sotto.federation.v1.StageRequest.$Properties
                 * @deprecated Use sotto.federation.v1.StageRequest.$Properties instead.
                 */

                /**
                 * Shape of a StageRequest.
                 * @typedef {sotto.federation.v1.StageRequest.$Properties} sotto.federation.v1.StageRequest.$Shape
                 */

                /**
                 * Constructs a new StageRequest.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents a StageRequest.
                 * @constructor
                 * @param {sotto.federation.v1.StageRequest.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const StageRequest = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * StageRequest round.
                 * @member {number} round
                 * @memberof sotto.federation.v1.StageRequest
                 * @instance
                 */
                StageRequest.prototype.round = 0;

                /**
                 * StageRequest attempt.
                 * @member {number} attempt
                 * @memberof sotto.federation.v1.StageRequest
                 * @instance
                 */
                StageRequest.prototype.attempt = 0;

                /**
                 * StageRequest message.
                 * @member {Uint8Array} message
                 * @memberof sotto.federation.v1.StageRequest
                 * @instance
                 */
                StageRequest.prototype.message = $util.newBuffer([]);

                /**
                 * Creates a new StageRequest instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.StageRequest
                 * @static
                 * @param {sotto.federation.v1.StageRequest.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.StageRequest} StageRequest instance
                 * @type {{
                 *   (properties: sotto.federation.v1.StageRequest.$Shape): sotto.federation.v1.StageRequest & sotto.federation.v1.StageRequest.$Shape;
                 *   (properties?: sotto.federation.v1.StageRequest.$Properties): sotto.federation.v1.StageRequest;
                 * }}
                 */
                StageRequest.create = function(properties) {
                    return new StageRequest(properties);
                };

                /**
                 * Encodes the specified StageRequest message. Does not implicitly {@link sotto.federation.v1.StageRequest.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.StageRequest
                 * @static
                 * @param {sotto.federation.v1.StageRequest.$Properties} message StageRequest message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                StageRequest.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.round != null && $Object.hasOwnProperty.call(message, "round") && message.round !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.round);
                    if (message.attempt != null && $Object.hasOwnProperty.call(message, "attempt") && message.attempt !== 0)
                        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.attempt);
                    if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message.length)
                        writer.uint32(/* id 3, wireType 2 =*/26).bytes(message.message);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a StageRequest message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.StageRequest
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.StageRequest & sotto.federation.v1.StageRequest.$Shape} StageRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                StageRequest.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.StageRequest();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.round = value;
                                else
                                    delete message.round;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.attempt = value;
                                else
                                    delete message.attempt;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.message = value;
                                else
                                    delete message.message;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return StageRequest;
            })();

            v1.StageResponse = (function() {

                /**
                 * Properties of a StageResponse.
                 * @typedef {Object} sotto.federation.v1.StageResponse.$Properties
                 * @property {Uint8Array|null} [message] StageResponse message
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a StageResponse.
                 * @memberof sotto.federation.v1
                 * @interface IStageResponse
                 * @augments sotto.federation.v1.StageResponse.$Properties
                 * @deprecated Use sotto.federation.v1.StageResponse.$Properties instead.
                 */

                /**
                 * Shape of a StageResponse.
                 * @typedef {sotto.federation.v1.StageResponse.$Properties} sotto.federation.v1.StageResponse.$Shape
                 */

                /**
                 * Constructs a new StageResponse.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents a StageResponse.
                 * @constructor
                 * @param {sotto.federation.v1.StageResponse.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const StageResponse = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * StageResponse message.
                 * @member {Uint8Array} message
                 * @memberof sotto.federation.v1.StageResponse
                 * @instance
                 */
                StageResponse.prototype.message = $util.newBuffer([]);

                /**
                 * Creates a new StageResponse instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.StageResponse
                 * @static
                 * @param {sotto.federation.v1.StageResponse.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.StageResponse} StageResponse instance
                 * @type {{
                 *   (properties: sotto.federation.v1.StageResponse.$Shape): sotto.federation.v1.StageResponse & sotto.federation.v1.StageResponse.$Shape;
                 *   (properties?: sotto.federation.v1.StageResponse.$Properties): sotto.federation.v1.StageResponse;
                 * }}
                 */
                StageResponse.create = function(properties) {
                    return new StageResponse(properties);
                };

                /**
                 * Encodes the specified StageResponse message. Does not implicitly {@link sotto.federation.v1.StageResponse.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.StageResponse
                 * @static
                 * @param {sotto.federation.v1.StageResponse.$Properties} message StageResponse message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                StageResponse.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message.length)
                        writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.message);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a StageResponse message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.StageResponse
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.StageResponse & sotto.federation.v1.StageResponse.$Shape} StageResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                StageResponse.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.StageResponse();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.message = value;
                                else
                                    delete message.message;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return StageResponse;
            })();

            v1.MaskedInputRequest = (function() {

                /**
                 * Properties of a MaskedInputRequest.
                 * @typedef {Object} sotto.federation.v1.MaskedInputRequest.$Properties
                 * @property {sotto.federation.v1.MaskedInputHead.$Properties|null} [head] MaskedInputRequest head
                 * @property {Uint8Array|null} [chunk] MaskedInputRequest chunk
                 * @property {"head"|"chunk"} [part] MaskedInputRequest part
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a MaskedInputRequest.
                 * @memberof sotto.federation.v1
                 * @interface IMaskedInputRequest
                 * @augments sotto.federation.v1.MaskedInputRequest.$Properties
                 * @deprecated Use sotto.federation.v1.MaskedInputRequest.$Properties instead.
                 */

                /**
                 * Narrowed shape of a MaskedInputRequest.
                 * @typedef {{
                 *   head?: sotto.federation.v1.MaskedInputHead.$Shape|null;
                 *   chunk?: Uint8Array|null;
                 *   $unknowns?: Array.<Uint8Array>;
                 * } & (
                 *   ({ part?: undefined; head?: null; chunk?: null }|{ part?: "head"; head: sotto.federation.v1.MaskedInputHead.$Shape; chunk?: null }|{ part?: "chunk"; head?: null; chunk: Uint8Array })
                 * )} sotto.federation.v1.MaskedInputRequest.$Shape
                 */

                /**
                 * Constructs a new MaskedInputRequest.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents a MaskedInputRequest.
                 * @constructor
                 * @param {sotto.federation.v1.MaskedInputRequest.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const MaskedInputRequest = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * MaskedInputRequest head.
                 * @member {sotto.federation.v1.MaskedInputHead.$Properties|null|undefined} head
                 * @memberof sotto.federation.v1.MaskedInputRequest
                 * @instance
                 */
                MaskedInputRequest.prototype.head = null;

                /**
                 * MaskedInputRequest chunk.
                 * @member {Uint8Array|null|undefined} chunk
                 * @memberof sotto.federation.v1.MaskedInputRequest
                 * @instance
                 */
                MaskedInputRequest.prototype.chunk = null;

                // OneOf field names bound to virtual getters and setters
                let $oneOfFields;

                /**
                 * MaskedInputRequest part.
                 * @member {"head"|"chunk"|undefined} part
                 * @memberof sotto.federation.v1.MaskedInputRequest
                 * @instance
                 */
                $Object.defineProperty(MaskedInputRequest.prototype, "part", {
                    get: $util.oneOfGetter($oneOfFields = ["head", "chunk"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                /**
                 * Creates a new MaskedInputRequest instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.MaskedInputRequest
                 * @static
                 * @param {sotto.federation.v1.MaskedInputRequest.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.MaskedInputRequest} MaskedInputRequest instance
                 * @type {{
                 *   (properties: sotto.federation.v1.MaskedInputRequest.$Shape): sotto.federation.v1.MaskedInputRequest & sotto.federation.v1.MaskedInputRequest.$Shape;
                 *   (properties?: sotto.federation.v1.MaskedInputRequest.$Properties): sotto.federation.v1.MaskedInputRequest;
                 * }}
                 */
                MaskedInputRequest.create = function(properties) {
                    return new MaskedInputRequest(properties);
                };

                /**
                 * Encodes the specified MaskedInputRequest message. Does not implicitly {@link sotto.federation.v1.MaskedInputRequest.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.MaskedInputRequest
                 * @static
                 * @param {sotto.federation.v1.MaskedInputRequest.$Properties} message MaskedInputRequest message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                MaskedInputRequest.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.head != null && $Object.hasOwnProperty.call(message, "head"))
                        $root.sotto.federation.v1.MaskedInputHead.encode(message.head, writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
                    if (message.chunk != null && $Object.hasOwnProperty.call(message, "chunk"))
                        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.chunk);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a MaskedInputRequest message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.MaskedInputRequest
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.MaskedInputRequest & sotto.federation.v1.MaskedInputRequest.$Shape} MaskedInputRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                MaskedInputRequest.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.MaskedInputRequest();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                message.head = $root.sotto.federation.v1.MaskedInputHead.decode(reader, reader.size(), $undefined, _depth + 1, message.head);
                                message.part = "head";
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                message.chunk = reader.bytes();
                                message.part = "chunk";
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return MaskedInputRequest;
            })();

            v1.MaskedInputHead = (function() {

                /**
                 * Properties of a MaskedInputHead.
                 * @typedef {Object} sotto.federation.v1.MaskedInputHead.$Properties
                 * @property {number|null} [round] MaskedInputHead round
                 * @property {number|null} [attempt] MaskedInputHead attempt
                 * @property {number|null} [totalBytes] MaskedInputHead totalBytes
                 * @property {Uint8Array|null} [evidence] MaskedInputHead evidence
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a MaskedInputHead.
                 * @memberof sotto.federation.v1
                 * @interface IMaskedInputHead
                 * @augments sotto.federation.v1.MaskedInputHead.$Properties
                 * @deprecated Use sotto.federation.v1.MaskedInputHead.$Properties instead.
                 */

                /**
                 * Shape of a MaskedInputHead.
                 * @typedef {sotto.federation.v1.MaskedInputHead.$Properties} sotto.federation.v1.MaskedInputHead.$Shape
                 */

                /**
                 * Constructs a new MaskedInputHead.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents a MaskedInputHead.
                 * @constructor
                 * @param {sotto.federation.v1.MaskedInputHead.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const MaskedInputHead = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * MaskedInputHead round.
                 * @member {number} round
                 * @memberof sotto.federation.v1.MaskedInputHead
                 * @instance
                 */
                MaskedInputHead.prototype.round = 0;

                /**
                 * MaskedInputHead attempt.
                 * @member {number} attempt
                 * @memberof sotto.federation.v1.MaskedInputHead
                 * @instance
                 */
                MaskedInputHead.prototype.attempt = 0;

                /**
                 * MaskedInputHead totalBytes.
                 * @member {number} totalBytes
                 * @memberof sotto.federation.v1.MaskedInputHead
                 * @instance
                 */
                MaskedInputHead.prototype.totalBytes = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * MaskedInputHead evidence.
                 * @member {Uint8Array} evidence
                 * @memberof sotto.federation.v1.MaskedInputHead
                 * @instance
                 */
                MaskedInputHead.prototype.evidence = $util.newBuffer([]);

                /**
                 * Creates a new MaskedInputHead instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.MaskedInputHead
                 * @static
                 * @param {sotto.federation.v1.MaskedInputHead.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.MaskedInputHead} MaskedInputHead instance
                 * @type {{
                 *   (properties: sotto.federation.v1.MaskedInputHead.$Shape): sotto.federation.v1.MaskedInputHead & sotto.federation.v1.MaskedInputHead.$Shape;
                 *   (properties?: sotto.federation.v1.MaskedInputHead.$Properties): sotto.federation.v1.MaskedInputHead;
                 * }}
                 */
                MaskedInputHead.create = function(properties) {
                    return new MaskedInputHead(properties);
                };

                /**
                 * Encodes the specified MaskedInputHead message. Does not implicitly {@link sotto.federation.v1.MaskedInputHead.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.MaskedInputHead
                 * @static
                 * @param {sotto.federation.v1.MaskedInputHead.$Properties} message MaskedInputHead message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                MaskedInputHead.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.round != null && $Object.hasOwnProperty.call(message, "round") && message.round !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.round);
                    if (message.attempt != null && $Object.hasOwnProperty.call(message, "attempt") && message.attempt !== 0)
                        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.attempt);
                    if (message.totalBytes != null && $Object.hasOwnProperty.call(message, "totalBytes") && (typeof message.totalBytes === "object" ? message.totalBytes.low || message.totalBytes.high : message.totalBytes !== 0))
                        writer.uint32(/* id 3, wireType 0 =*/24).uint64(message.totalBytes);
                    if (message.evidence != null && $Object.hasOwnProperty.call(message, "evidence") && message.evidence.length)
                        writer.uint32(/* id 4, wireType 2 =*/34).bytes(message.evidence);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a MaskedInputHead message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.MaskedInputHead
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.MaskedInputHead & sotto.federation.v1.MaskedInputHead.$Shape} MaskedInputHead
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                MaskedInputHead.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.MaskedInputHead();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.round = value;
                                else
                                    delete message.round;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.attempt = value;
                                else
                                    delete message.attempt;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.totalBytes = value;
                                else
                                    delete message.totalBytes;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.evidence = value;
                                else
                                    delete message.evidence;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return MaskedInputHead;
            })();

            v1.PublishLedgerRequest = (function() {

                /**
                 * Properties of a PublishLedgerRequest.
                 * @typedef {Object} sotto.federation.v1.PublishLedgerRequest.$Properties
                 * @property {Uint8Array|null} [checkpoint] PublishLedgerRequest checkpoint
                 * @property {Uint8Array|null} [entry] PublishLedgerRequest entry
                 * @property {"checkpoint"|"entry"} [part] PublishLedgerRequest part
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a PublishLedgerRequest.
                 * @memberof sotto.federation.v1
                 * @interface IPublishLedgerRequest
                 * @augments sotto.federation.v1.PublishLedgerRequest.$Properties
                 * @deprecated Use sotto.federation.v1.PublishLedgerRequest.$Properties instead.
                 */

                /**
                 * Narrowed shape of a PublishLedgerRequest.
                 * @typedef {{
                 *   checkpoint?: Uint8Array|null;
                 *   entry?: Uint8Array|null;
                 *   $unknowns?: Array.<Uint8Array>;
                 * } & (
                 *   ({ part?: undefined; checkpoint?: null; entry?: null }|{ part?: "checkpoint"; checkpoint: Uint8Array; entry?: null }|{ part?: "entry"; checkpoint?: null; entry: Uint8Array })
                 * )} sotto.federation.v1.PublishLedgerRequest.$Shape
                 */

                /**
                 * Constructs a new PublishLedgerRequest.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents a PublishLedgerRequest.
                 * @constructor
                 * @param {sotto.federation.v1.PublishLedgerRequest.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const PublishLedgerRequest = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * PublishLedgerRequest checkpoint.
                 * @member {Uint8Array|null|undefined} checkpoint
                 * @memberof sotto.federation.v1.PublishLedgerRequest
                 * @instance
                 */
                PublishLedgerRequest.prototype.checkpoint = null;

                /**
                 * PublishLedgerRequest entry.
                 * @member {Uint8Array|null|undefined} entry
                 * @memberof sotto.federation.v1.PublishLedgerRequest
                 * @instance
                 */
                PublishLedgerRequest.prototype.entry = null;

                // OneOf field names bound to virtual getters and setters
                let $oneOfFields;

                /**
                 * PublishLedgerRequest part.
                 * @member {"checkpoint"|"entry"|undefined} part
                 * @memberof sotto.federation.v1.PublishLedgerRequest
                 * @instance
                 */
                $Object.defineProperty(PublishLedgerRequest.prototype, "part", {
                    get: $util.oneOfGetter($oneOfFields = ["checkpoint", "entry"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                /**
                 * Creates a new PublishLedgerRequest instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.PublishLedgerRequest
                 * @static
                 * @param {sotto.federation.v1.PublishLedgerRequest.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.PublishLedgerRequest} PublishLedgerRequest instance
                 * @type {{
                 *   (properties: sotto.federation.v1.PublishLedgerRequest.$Shape): sotto.federation.v1.PublishLedgerRequest & sotto.federation.v1.PublishLedgerRequest.$Shape;
                 *   (properties?: sotto.federation.v1.PublishLedgerRequest.$Properties): sotto.federation.v1.PublishLedgerRequest;
                 * }}
                 */
                PublishLedgerRequest.create = function(properties) {
                    return new PublishLedgerRequest(properties);
                };

                /**
                 * Encodes the specified PublishLedgerRequest message. Does not implicitly {@link sotto.federation.v1.PublishLedgerRequest.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.PublishLedgerRequest
                 * @static
                 * @param {sotto.federation.v1.PublishLedgerRequest.$Properties} message PublishLedgerRequest message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                PublishLedgerRequest.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.checkpoint != null && $Object.hasOwnProperty.call(message, "checkpoint"))
                        writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.checkpoint);
                    if (message.entry != null && $Object.hasOwnProperty.call(message, "entry"))
                        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.entry);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a PublishLedgerRequest message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.PublishLedgerRequest
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.PublishLedgerRequest & sotto.federation.v1.PublishLedgerRequest.$Shape} PublishLedgerRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                PublishLedgerRequest.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.PublishLedgerRequest();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                message.checkpoint = reader.bytes();
                                message.part = "checkpoint";
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                message.entry = reader.bytes();
                                message.part = "entry";
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return PublishLedgerRequest;
            })();

            v1.PublishLedgerResponse = (function() {

                /**
                 * Properties of a PublishLedgerResponse.
                 * @typedef {Object} sotto.federation.v1.PublishLedgerResponse.$Properties
                 * @property {number|null} [size] PublishLedgerResponse size
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a PublishLedgerResponse.
                 * @memberof sotto.federation.v1
                 * @interface IPublishLedgerResponse
                 * @augments sotto.federation.v1.PublishLedgerResponse.$Properties
                 * @deprecated Use sotto.federation.v1.PublishLedgerResponse.$Properties instead.
                 */

                /**
                 * Shape of a PublishLedgerResponse.
                 * @typedef {sotto.federation.v1.PublishLedgerResponse.$Properties} sotto.federation.v1.PublishLedgerResponse.$Shape
                 */

                /**
                 * Constructs a new PublishLedgerResponse.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents a PublishLedgerResponse.
                 * @constructor
                 * @param {sotto.federation.v1.PublishLedgerResponse.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const PublishLedgerResponse = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * PublishLedgerResponse size.
                 * @member {number} size
                 * @memberof sotto.federation.v1.PublishLedgerResponse
                 * @instance
                 */
                PublishLedgerResponse.prototype.size = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Creates a new PublishLedgerResponse instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.PublishLedgerResponse
                 * @static
                 * @param {sotto.federation.v1.PublishLedgerResponse.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.PublishLedgerResponse} PublishLedgerResponse instance
                 * @type {{
                 *   (properties: sotto.federation.v1.PublishLedgerResponse.$Shape): sotto.federation.v1.PublishLedgerResponse & sotto.federation.v1.PublishLedgerResponse.$Shape;
                 *   (properties?: sotto.federation.v1.PublishLedgerResponse.$Properties): sotto.federation.v1.PublishLedgerResponse;
                 * }}
                 */
                PublishLedgerResponse.create = function(properties) {
                    return new PublishLedgerResponse(properties);
                };

                /**
                 * Encodes the specified PublishLedgerResponse message. Does not implicitly {@link sotto.federation.v1.PublishLedgerResponse.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.PublishLedgerResponse
                 * @static
                 * @param {sotto.federation.v1.PublishLedgerResponse.$Properties} message PublishLedgerResponse message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                PublishLedgerResponse.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.size != null && $Object.hasOwnProperty.call(message, "size") && (typeof message.size === "object" ? message.size.low || message.size.high : message.size !== 0))
                        writer.uint32(/* id 1, wireType 0 =*/8).uint64(message.size);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a PublishLedgerResponse message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.PublishLedgerResponse
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.PublishLedgerResponse & sotto.federation.v1.PublishLedgerResponse.$Shape} PublishLedgerResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                PublishLedgerResponse.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.PublishLedgerResponse();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.size = value;
                                else
                                    delete message.size;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return PublishLedgerResponse;
            })();

            v1.GetTrustBundleRequest = (function() {

                /**
                 * Properties of a GetTrustBundleRequest.
                 * @typedef {Object} sotto.federation.v1.GetTrustBundleRequest.$Properties
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a GetTrustBundleRequest.
                 * @memberof sotto.federation.v1
                 * @interface IGetTrustBundleRequest
                 * @augments sotto.federation.v1.GetTrustBundleRequest.$Properties
                 * @deprecated Use sotto.federation.v1.GetTrustBundleRequest.$Properties instead.
                 */

                /**
                 * Shape of a GetTrustBundleRequest.
                 * @typedef {sotto.federation.v1.GetTrustBundleRequest.$Properties} sotto.federation.v1.GetTrustBundleRequest.$Shape
                 */

                /**
                 * Constructs a new GetTrustBundleRequest.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents a GetTrustBundleRequest.
                 * @constructor
                 * @param {sotto.federation.v1.GetTrustBundleRequest.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const GetTrustBundleRequest = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Creates a new GetTrustBundleRequest instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.GetTrustBundleRequest
                 * @static
                 * @param {sotto.federation.v1.GetTrustBundleRequest.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.GetTrustBundleRequest} GetTrustBundleRequest instance
                 * @type {{
                 *   (properties: sotto.federation.v1.GetTrustBundleRequest.$Shape): sotto.federation.v1.GetTrustBundleRequest & sotto.federation.v1.GetTrustBundleRequest.$Shape;
                 *   (properties?: sotto.federation.v1.GetTrustBundleRequest.$Properties): sotto.federation.v1.GetTrustBundleRequest;
                 * }}
                 */
                GetTrustBundleRequest.create = function(properties) {
                    return new GetTrustBundleRequest(properties);
                };

                /**
                 * Encodes the specified GetTrustBundleRequest message. Does not implicitly {@link sotto.federation.v1.GetTrustBundleRequest.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.GetTrustBundleRequest
                 * @static
                 * @param {sotto.federation.v1.GetTrustBundleRequest.$Properties} message GetTrustBundleRequest message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                GetTrustBundleRequest.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a GetTrustBundleRequest message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.GetTrustBundleRequest
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.GetTrustBundleRequest & sotto.federation.v1.GetTrustBundleRequest.$Shape} GetTrustBundleRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                GetTrustBundleRequest.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.GetTrustBundleRequest();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        reader.skipType(tag & 7, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return GetTrustBundleRequest;
            })();

            v1.GetTrustBundleResponse = (function() {

                /**
                 * Properties of a GetTrustBundleResponse.
                 * @typedef {Object} sotto.federation.v1.GetTrustBundleResponse.$Properties
                 * @property {Uint8Array|null} [trustBundle] GetTrustBundleResponse trustBundle
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a GetTrustBundleResponse.
                 * @memberof sotto.federation.v1
                 * @interface IGetTrustBundleResponse
                 * @augments sotto.federation.v1.GetTrustBundleResponse.$Properties
                 * @deprecated Use sotto.federation.v1.GetTrustBundleResponse.$Properties instead.
                 */

                /**
                 * Shape of a GetTrustBundleResponse.
                 * @typedef {sotto.federation.v1.GetTrustBundleResponse.$Properties} sotto.federation.v1.GetTrustBundleResponse.$Shape
                 */

                /**
                 * Constructs a new GetTrustBundleResponse.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents a GetTrustBundleResponse.
                 * @constructor
                 * @param {sotto.federation.v1.GetTrustBundleResponse.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const GetTrustBundleResponse = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * GetTrustBundleResponse trustBundle.
                 * @member {Uint8Array} trustBundle
                 * @memberof sotto.federation.v1.GetTrustBundleResponse
                 * @instance
                 */
                GetTrustBundleResponse.prototype.trustBundle = $util.newBuffer([]);

                /**
                 * Creates a new GetTrustBundleResponse instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.GetTrustBundleResponse
                 * @static
                 * @param {sotto.federation.v1.GetTrustBundleResponse.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.GetTrustBundleResponse} GetTrustBundleResponse instance
                 * @type {{
                 *   (properties: sotto.federation.v1.GetTrustBundleResponse.$Shape): sotto.federation.v1.GetTrustBundleResponse & sotto.federation.v1.GetTrustBundleResponse.$Shape;
                 *   (properties?: sotto.federation.v1.GetTrustBundleResponse.$Properties): sotto.federation.v1.GetTrustBundleResponse;
                 * }}
                 */
                GetTrustBundleResponse.create = function(properties) {
                    return new GetTrustBundleResponse(properties);
                };

                /**
                 * Encodes the specified GetTrustBundleResponse message. Does not implicitly {@link sotto.federation.v1.GetTrustBundleResponse.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.GetTrustBundleResponse
                 * @static
                 * @param {sotto.federation.v1.GetTrustBundleResponse.$Properties} message GetTrustBundleResponse message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                GetTrustBundleResponse.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.trustBundle != null && $Object.hasOwnProperty.call(message, "trustBundle") && message.trustBundle.length)
                        writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.trustBundle);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a GetTrustBundleResponse message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.GetTrustBundleResponse
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.GetTrustBundleResponse & sotto.federation.v1.GetTrustBundleResponse.$Shape} GetTrustBundleResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                GetTrustBundleResponse.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.GetTrustBundleResponse();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.trustBundle = value;
                                else
                                    delete message.trustBundle;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return GetTrustBundleResponse;
            })();

            v1.EnrolRequest = (function() {

                /**
                 * Properties of an EnrolRequest.
                 * @typedef {Object} sotto.federation.v1.EnrolRequest.$Properties
                 * @property {number|null} [protocolVersion] EnrolRequest protocolVersion
                 * @property {Uint8Array|null} [token] EnrolRequest token
                 * @property {string|null} [id] EnrolRequest id
                 * @property {string|null} [role] EnrolRequest role
                 * @property {Uint8Array|null} [certificateRequest] EnrolRequest certificateRequest
                 * @property {Uint8Array|null} [signingKey] EnrolRequest signingKey
                 * @property {Uint8Array|null} [signingProof] EnrolRequest signingProof
                 * @property {Uint8Array|null} [ledgerKey] EnrolRequest ledgerKey
                 * @property {Uint8Array|null} [ledgerProof] EnrolRequest ledgerProof
                 * @property {Array.<string>|null} [serverNames] EnrolRequest serverNames
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of an EnrolRequest.
                 * @memberof sotto.federation.v1
                 * @interface IEnrolRequest
                 * @augments sotto.federation.v1.EnrolRequest.$Properties
                 * @deprecated Use sotto.federation.v1.EnrolRequest.$Properties instead.
                 */

                /**
                 * Shape of an EnrolRequest.
                 * @typedef {sotto.federation.v1.EnrolRequest.$Properties} sotto.federation.v1.EnrolRequest.$Shape
                 */

                /**
                 * Constructs a new EnrolRequest.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents an EnrolRequest.
                 * @constructor
                 * @param {sotto.federation.v1.EnrolRequest.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const EnrolRequest = function (properties) {
                    this.serverNames = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * EnrolRequest protocolVersion.
                 * @member {number} protocolVersion
                 * @memberof sotto.federation.v1.EnrolRequest
                 * @instance
                 */
                EnrolRequest.prototype.protocolVersion = 0;

                /**
                 * EnrolRequest token.
                 * @member {Uint8Array} token
                 * @memberof sotto.federation.v1.EnrolRequest
                 * @instance
                 */
                EnrolRequest.prototype.token = $util.newBuffer([]);

                /**
                 * EnrolRequest id.
                 * @member {string} id
                 * @memberof sotto.federation.v1.EnrolRequest
                 * @instance
                 */
                EnrolRequest.prototype.id = "";

                /**
                 * EnrolRequest role.
                 * @member {string} role
                 * @memberof sotto.federation.v1.EnrolRequest
                 * @instance
                 */
                EnrolRequest.prototype.role = "";

                /**
                 * EnrolRequest certificateRequest.
                 * @member {Uint8Array} certificateRequest
                 * @memberof sotto.federation.v1.EnrolRequest
                 * @instance
                 */
                EnrolRequest.prototype.certificateRequest = $util.newBuffer([]);

                /**
                 * EnrolRequest signingKey.
                 * @member {Uint8Array} signingKey
                 * @memberof sotto.federation.v1.EnrolRequest
                 * @instance
                 */
                EnrolRequest.prototype.signingKey = $util.newBuffer([]);

                /**
                 * EnrolRequest signingProof.
                 * @member {Uint8Array} signingProof
                 * @memberof sotto.federation.v1.EnrolRequest
                 * @instance
                 */
                EnrolRequest.prototype.signingProof = $util.newBuffer([]);

                /**
                 * EnrolRequest ledgerKey.
                 * @member {Uint8Array} ledgerKey
                 * @memberof sotto.federation.v1.EnrolRequest
                 * @instance
                 */
                EnrolRequest.prototype.ledgerKey = $util.newBuffer([]);

                /**
                 * EnrolRequest ledgerProof.
                 * @member {Uint8Array} ledgerProof
                 * @memberof sotto.federation.v1.EnrolRequest
                 * @instance
                 */
                EnrolRequest.prototype.ledgerProof = $util.newBuffer([]);

                /**
                 * EnrolRequest serverNames.
                 * @member {Array.<string>} serverNames
                 * @memberof sotto.federation.v1.EnrolRequest
                 * @instance
                 */
                EnrolRequest.prototype.serverNames = $util.emptyArray;

                /**
                 * Creates a new EnrolRequest instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.EnrolRequest
                 * @static
                 * @param {sotto.federation.v1.EnrolRequest.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.EnrolRequest} EnrolRequest instance
                 * @type {{
                 *   (properties: sotto.federation.v1.EnrolRequest.$Shape): sotto.federation.v1.EnrolRequest & sotto.federation.v1.EnrolRequest.$Shape;
                 *   (properties?: sotto.federation.v1.EnrolRequest.$Properties): sotto.federation.v1.EnrolRequest;
                 * }}
                 */
                EnrolRequest.create = function(properties) {
                    return new EnrolRequest(properties);
                };

                /**
                 * Encodes the specified EnrolRequest message. Does not implicitly {@link sotto.federation.v1.EnrolRequest.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.EnrolRequest
                 * @static
                 * @param {sotto.federation.v1.EnrolRequest.$Properties} message EnrolRequest message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                EnrolRequest.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.protocolVersion != null && $Object.hasOwnProperty.call(message, "protocolVersion") && message.protocolVersion !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.protocolVersion);
                    if (message.token != null && $Object.hasOwnProperty.call(message, "token") && message.token.length)
                        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.token);
                    if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
                        writer.uint32(/* id 3, wireType 2 =*/26).string(message.id);
                    if (message.role != null && $Object.hasOwnProperty.call(message, "role") && message.role !== "")
                        writer.uint32(/* id 4, wireType 2 =*/34).string(message.role);
                    if (message.certificateRequest != null && $Object.hasOwnProperty.call(message, "certificateRequest") && message.certificateRequest.length)
                        writer.uint32(/* id 5, wireType 2 =*/42).bytes(message.certificateRequest);
                    if (message.signingKey != null && $Object.hasOwnProperty.call(message, "signingKey") && message.signingKey.length)
                        writer.uint32(/* id 6, wireType 2 =*/50).bytes(message.signingKey);
                    if (message.signingProof != null && $Object.hasOwnProperty.call(message, "signingProof") && message.signingProof.length)
                        writer.uint32(/* id 7, wireType 2 =*/58).bytes(message.signingProof);
                    if (message.ledgerKey != null && $Object.hasOwnProperty.call(message, "ledgerKey") && message.ledgerKey.length)
                        writer.uint32(/* id 8, wireType 2 =*/66).bytes(message.ledgerKey);
                    if (message.ledgerProof != null && $Object.hasOwnProperty.call(message, "ledgerProof") && message.ledgerProof.length)
                        writer.uint32(/* id 9, wireType 2 =*/74).bytes(message.ledgerProof);
                    if (message.serverNames != null && message.serverNames.length)
                        for (let i = 0; i < message.serverNames.length; ++i)
                            writer.uint32(/* id 10, wireType 2 =*/82).string(message.serverNames[i]);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes an EnrolRequest message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.EnrolRequest
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.EnrolRequest & sotto.federation.v1.EnrolRequest.$Shape} EnrolRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                EnrolRequest.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.EnrolRequest();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.protocolVersion = value;
                                else
                                    delete message.protocolVersion;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.token = value;
                                else
                                    delete message.token;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.id = value;
                                else
                                    delete message.id;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.role = value;
                                else
                                    delete message.role;
                                continue;
                            }
                        case 5: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.certificateRequest = value;
                                else
                                    delete message.certificateRequest;
                                continue;
                            }
                        case 6: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.signingKey = value;
                                else
                                    delete message.signingKey;
                                continue;
                            }
                        case 7: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.signingProof = value;
                                else
                                    delete message.signingProof;
                                continue;
                            }
                        case 8: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.ledgerKey = value;
                                else
                                    delete message.ledgerKey;
                                continue;
                            }
                        case 9: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.ledgerProof = value;
                                else
                                    delete message.ledgerProof;
                                continue;
                            }
                        case 10: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.serverNames && message.serverNames.length))
                                    message.serverNames = [];
                                message.serverNames.push(reader.stringVerify());
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return EnrolRequest;
            })();

            v1.EnrolResponse = (function() {

                /**
                 * Properties of an EnrolResponse.
                 * @typedef {Object} sotto.federation.v1.EnrolResponse.$Properties
                 * @property {Uint8Array|null} [tlsCertificate] EnrolResponse tlsCertificate
                 * @property {Uint8Array|null} [identityCertificate] EnrolResponse identityCertificate
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of an EnrolResponse.
                 * @memberof sotto.federation.v1
                 * @interface IEnrolResponse
                 * @augments sotto.federation.v1.EnrolResponse.$Properties
                 * @deprecated Use sotto.federation.v1.EnrolResponse.$Properties instead.
                 */

                /**
                 * Shape of an EnrolResponse.
                 * @typedef {sotto.federation.v1.EnrolResponse.$Properties} sotto.federation.v1.EnrolResponse.$Shape
                 */

                /**
                 * Constructs a new EnrolResponse.
                 * @memberof sotto.federation.v1
                 * @classdesc Represents an EnrolResponse.
                 * @constructor
                 * @param {sotto.federation.v1.EnrolResponse.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const EnrolResponse = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * EnrolResponse tlsCertificate.
                 * @member {Uint8Array} tlsCertificate
                 * @memberof sotto.federation.v1.EnrolResponse
                 * @instance
                 */
                EnrolResponse.prototype.tlsCertificate = $util.newBuffer([]);

                /**
                 * EnrolResponse identityCertificate.
                 * @member {Uint8Array} identityCertificate
                 * @memberof sotto.federation.v1.EnrolResponse
                 * @instance
                 */
                EnrolResponse.prototype.identityCertificate = $util.newBuffer([]);

                /**
                 * Creates a new EnrolResponse instance using the specified properties.
                 * @function create
                 * @memberof sotto.federation.v1.EnrolResponse
                 * @static
                 * @param {sotto.federation.v1.EnrolResponse.$Properties=} [properties] Properties to set
                 * @returns {sotto.federation.v1.EnrolResponse} EnrolResponse instance
                 * @type {{
                 *   (properties: sotto.federation.v1.EnrolResponse.$Shape): sotto.federation.v1.EnrolResponse & sotto.federation.v1.EnrolResponse.$Shape;
                 *   (properties?: sotto.federation.v1.EnrolResponse.$Properties): sotto.federation.v1.EnrolResponse;
                 * }}
                 */
                EnrolResponse.create = function(properties) {
                    return new EnrolResponse(properties);
                };

                /**
                 * Encodes the specified EnrolResponse message. Does not implicitly {@link sotto.federation.v1.EnrolResponse.verify|verify} messages.
                 * @function encode
                 * @memberof sotto.federation.v1.EnrolResponse
                 * @static
                 * @param {sotto.federation.v1.EnrolResponse.$Properties} message EnrolResponse message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                EnrolResponse.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.tlsCertificate != null && $Object.hasOwnProperty.call(message, "tlsCertificate") && message.tlsCertificate.length)
                        writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.tlsCertificate);
                    if (message.identityCertificate != null && $Object.hasOwnProperty.call(message, "identityCertificate") && message.identityCertificate.length)
                        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.identityCertificate);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes an EnrolResponse message from the specified reader or buffer.
                 * @function decode
                 * @memberof sotto.federation.v1.EnrolResponse
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.EnrolResponse & sotto.federation.v1.EnrolResponse.$Shape} EnrolResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                EnrolResponse.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.sotto.federation.v1.EnrolResponse();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.tlsCertificate = value;
                                else
                                    delete message.tlsCertificate;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.identityCertificate = value;
                                else
                                    delete message.identityCertificate;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return EnrolResponse;
            })();

            return v1;
        })();

        return federation;
    })();

    return sotto;
})();

export {
  $root as default
};
