import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/** Namespace grpc. */
export namespace grpc {

    /** Namespace health. */
    namespace health {

        /** Namespace v1. */
        namespace v1 {

            /**
             * Properties of a HealthCheckRequest.
             * @deprecated Use grpc.health.v1.HealthCheckRequest.$Properties instead.
             */
            interface IHealthCheckRequest extends grpc.health.v1.HealthCheckRequest.$Properties {
            }

            /** Represents a HealthCheckRequest. */
            class HealthCheckRequest {

                /**
                 * Constructs a new HealthCheckRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.health.v1.HealthCheckRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** HealthCheckRequest service. */
                service: string;

                /**
                 * Creates a new HealthCheckRequest instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns HealthCheckRequest instance
                 */
                static create(properties: grpc.health.v1.HealthCheckRequest.$Shape): grpc.health.v1.HealthCheckRequest & grpc.health.v1.HealthCheckRequest.$Shape;
                static create(properties?: grpc.health.v1.HealthCheckRequest.$Properties): grpc.health.v1.HealthCheckRequest;

                /**
                 * Encodes the specified HealthCheckRequest message. Does not implicitly {@link grpc.health.v1.HealthCheckRequest.verify|verify} messages.
                 * @param message HealthCheckRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.health.v1.HealthCheckRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a HealthCheckRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.health.v1.HealthCheckRequest & grpc.health.v1.HealthCheckRequest.$Shape} HealthCheckRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.health.v1.HealthCheckRequest & grpc.health.v1.HealthCheckRequest.$Shape;
            }

            namespace HealthCheckRequest {

                /** Properties of a HealthCheckRequest. */
                interface $Properties {

                    /** HealthCheckRequest service */
                    service?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a HealthCheckRequest. */
                type $Shape = grpc.health.v1.HealthCheckRequest.$Properties;
            }

            /**
             * Properties of a HealthCheckResponse.
             * @deprecated Use grpc.health.v1.HealthCheckResponse.$Properties instead.
             */
            interface IHealthCheckResponse extends grpc.health.v1.HealthCheckResponse.$Properties {
            }

            /** Represents a HealthCheckResponse. */
            class HealthCheckResponse {

                /**
                 * Constructs a new HealthCheckResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.health.v1.HealthCheckResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** HealthCheckResponse status. */
                status: grpc.health.v1.HealthCheckResponse.ServingStatus;

                /**
                 * Creates a new HealthCheckResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns HealthCheckResponse instance
                 */
                static create(properties: grpc.health.v1.HealthCheckResponse.$Shape): grpc.health.v1.HealthCheckResponse & grpc.health.v1.HealthCheckResponse.$Shape;
                static create(properties?: grpc.health.v1.HealthCheckResponse.$Properties): grpc.health.v1.HealthCheckResponse;

                /**
                 * Encodes the specified HealthCheckResponse message. Does not implicitly {@link grpc.health.v1.HealthCheckResponse.verify|verify} messages.
                 * @param message HealthCheckResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.health.v1.HealthCheckResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a HealthCheckResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.health.v1.HealthCheckResponse & grpc.health.v1.HealthCheckResponse.$Shape} HealthCheckResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.health.v1.HealthCheckResponse & grpc.health.v1.HealthCheckResponse.$Shape;
            }

            namespace HealthCheckResponse {

                /** Properties of a HealthCheckResponse. */
                interface $Properties {

                    /** HealthCheckResponse status */
                    status?: (grpc.health.v1.HealthCheckResponse.ServingStatus|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a HealthCheckResponse. */
                type $Shape = grpc.health.v1.HealthCheckResponse.$Properties;

                /** ServingStatus enum. */
                enum ServingStatus {

                    /** UNKNOWN value */
                    UNKNOWN = 0,

                    /** SERVING value */
                    SERVING = 1,

                    /** NOT_SERVING value */
                    NOT_SERVING = 2,

                    /** SERVICE_UNKNOWN value */
                    SERVICE_UNKNOWN = 3
                }
            }
        }
    }
}

/** Namespace sotto. */
export namespace sotto {

    /** Namespace federation. */
    namespace federation {

        /** Namespace v1. */
        namespace v1 {

            /**
             * Properties of a HelloRequest.
             * @deprecated Use sotto.federation.v1.HelloRequest.$Properties instead.
             */
            interface IHelloRequest extends sotto.federation.v1.HelloRequest.$Properties {
            }

            /** Represents a HelloRequest. */
            class HelloRequest {

                /**
                 * Constructs a new HelloRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.HelloRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** HelloRequest protocolVersion. */
                protocolVersion: number;

                /** HelloRequest knownLogSize. */
                knownLogSize: number;

                /** HelloRequest identityCertificate. */
                identityCertificate: Uint8Array;

                /**
                 * Creates a new HelloRequest instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns HelloRequest instance
                 */
                static create(properties: sotto.federation.v1.HelloRequest.$Shape): sotto.federation.v1.HelloRequest & sotto.federation.v1.HelloRequest.$Shape;
                static create(properties?: sotto.federation.v1.HelloRequest.$Properties): sotto.federation.v1.HelloRequest;

                /**
                 * Encodes the specified HelloRequest message. Does not implicitly {@link sotto.federation.v1.HelloRequest.verify|verify} messages.
                 * @param message HelloRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.HelloRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a HelloRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.HelloRequest & sotto.federation.v1.HelloRequest.$Shape} HelloRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.HelloRequest & sotto.federation.v1.HelloRequest.$Shape;
            }

            namespace HelloRequest {

                /** Properties of a HelloRequest. */
                interface $Properties {

                    /** HelloRequest protocolVersion */
                    protocolVersion?: (number|null);

                    /** HelloRequest knownLogSize */
                    knownLogSize?: (number|null);

                    /** HelloRequest identityCertificate */
                    identityCertificate?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a HelloRequest. */
                type $Shape = sotto.federation.v1.HelloRequest.$Properties;
            }

            /**
             * Properties of a HelloResponse.
             * @deprecated Use sotto.federation.v1.HelloResponse.$Properties instead.
             */
            interface IHelloResponse extends sotto.federation.v1.HelloResponse.$Properties {
            }

            /** Represents a HelloResponse. */
            class HelloResponse {

                /**
                 * Constructs a new HelloResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.HelloResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** HelloResponse protocolVersion. */
                protocolVersion: number;

                /** HelloResponse identityCertificate. */
                identityCertificate: Uint8Array;

                /** HelloResponse plan. */
                plan: Uint8Array;

                /** HelloResponse planSignature. */
                planSignature: Uint8Array;

                /** HelloResponse log. */
                log?: (sotto.federation.v1.LogView.$Properties|null);

                /**
                 * Creates a new HelloResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns HelloResponse instance
                 */
                static create(properties: sotto.federation.v1.HelloResponse.$Shape): sotto.federation.v1.HelloResponse & sotto.federation.v1.HelloResponse.$Shape;
                static create(properties?: sotto.federation.v1.HelloResponse.$Properties): sotto.federation.v1.HelloResponse;

                /**
                 * Encodes the specified HelloResponse message. Does not implicitly {@link sotto.federation.v1.HelloResponse.verify|verify} messages.
                 * @param message HelloResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.HelloResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a HelloResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.HelloResponse & sotto.federation.v1.HelloResponse.$Shape} HelloResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.HelloResponse & sotto.federation.v1.HelloResponse.$Shape;
            }

            namespace HelloResponse {

                /** Properties of a HelloResponse. */
                interface $Properties {

                    /** HelloResponse protocolVersion */
                    protocolVersion?: (number|null);

                    /** HelloResponse identityCertificate */
                    identityCertificate?: (Uint8Array|null);

                    /** HelloResponse plan */
                    plan?: (Uint8Array|null);

                    /** HelloResponse planSignature */
                    planSignature?: (Uint8Array|null);

                    /** HelloResponse log */
                    log?: (sotto.federation.v1.LogView.$Properties|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a HelloResponse. */
                type $Shape = sotto.federation.v1.HelloResponse.$Properties;
            }

            /**
             * Properties of a LogView.
             * @deprecated Use sotto.federation.v1.LogView.$Properties instead.
             */
            interface ILogView extends sotto.federation.v1.LogView.$Properties {
            }

            /** Represents a LogView. */
            class LogView {

                /**
                 * Constructs a new LogView.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.LogView.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LogView checkpoint. */
                checkpoint: Uint8Array;

                /** LogView consistencyProof. */
                consistencyProof: Uint8Array[];

                /**
                 * Creates a new LogView instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns LogView instance
                 */
                static create(properties: sotto.federation.v1.LogView.$Shape): sotto.federation.v1.LogView & sotto.federation.v1.LogView.$Shape;
                static create(properties?: sotto.federation.v1.LogView.$Properties): sotto.federation.v1.LogView;

                /**
                 * Encodes the specified LogView message. Does not implicitly {@link sotto.federation.v1.LogView.verify|verify} messages.
                 * @param message LogView message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.LogView.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LogView message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.LogView & sotto.federation.v1.LogView.$Shape} LogView
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.LogView & sotto.federation.v1.LogView.$Shape;
            }

            namespace LogView {

                /** Properties of a LogView. */
                interface $Properties {

                    /** LogView checkpoint */
                    checkpoint?: (Uint8Array|null);

                    /** LogView consistencyProof */
                    consistencyProof?: (Uint8Array[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LogView. */
                type $Shape = sotto.federation.v1.LogView.$Properties;
            }

            /**
             * Properties of an AwaitRoundRequest.
             * @deprecated Use sotto.federation.v1.AwaitRoundRequest.$Properties instead.
             */
            interface IAwaitRoundRequest extends sotto.federation.v1.AwaitRoundRequest.$Properties {
            }

            /** Represents an AwaitRoundRequest. */
            class AwaitRoundRequest {

                /**
                 * Constructs a new AwaitRoundRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.AwaitRoundRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** AwaitRoundRequest knownLogSize. */
                knownLogSize: number;

                /** AwaitRoundRequest lastRound. */
                lastRound: number;

                /** AwaitRoundRequest lastAttempt. */
                lastAttempt: number;

                /**
                 * Creates a new AwaitRoundRequest instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns AwaitRoundRequest instance
                 */
                static create(properties: sotto.federation.v1.AwaitRoundRequest.$Shape): sotto.federation.v1.AwaitRoundRequest & sotto.federation.v1.AwaitRoundRequest.$Shape;
                static create(properties?: sotto.federation.v1.AwaitRoundRequest.$Properties): sotto.federation.v1.AwaitRoundRequest;

                /**
                 * Encodes the specified AwaitRoundRequest message. Does not implicitly {@link sotto.federation.v1.AwaitRoundRequest.verify|verify} messages.
                 * @param message AwaitRoundRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.AwaitRoundRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an AwaitRoundRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.AwaitRoundRequest & sotto.federation.v1.AwaitRoundRequest.$Shape} AwaitRoundRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.AwaitRoundRequest & sotto.federation.v1.AwaitRoundRequest.$Shape;
            }

            namespace AwaitRoundRequest {

                /** Properties of an AwaitRoundRequest. */
                interface $Properties {

                    /** AwaitRoundRequest knownLogSize */
                    knownLogSize?: (number|null);

                    /** AwaitRoundRequest lastRound */
                    lastRound?: (number|null);

                    /** AwaitRoundRequest lastAttempt */
                    lastAttempt?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an AwaitRoundRequest. */
                type $Shape = sotto.federation.v1.AwaitRoundRequest.$Properties;
            }

            /**
             * Properties of an AwaitRoundResponse.
             * @deprecated Use sotto.federation.v1.AwaitRoundResponse.$Properties instead.
             */
            interface IAwaitRoundResponse extends sotto.federation.v1.AwaitRoundResponse.$Properties {
            }

            /** Represents an AwaitRoundResponse. */
            class AwaitRoundResponse {

                /**
                 * Constructs a new AwaitRoundResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.AwaitRoundResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** AwaitRoundResponse nothing. */
                nothing?: (sotto.federation.v1.Nothing.$Properties|null);

                /** AwaitRoundResponse offer. */
                offer?: (sotto.federation.v1.RoundOffer.$Properties|null);

                /** AwaitRoundResponse finished. */
                finished?: (sotto.federation.v1.RunFinished.$Properties|null);

                /** AwaitRoundResponse log. */
                log?: (sotto.federation.v1.LogView.$Properties|null);

                /** AwaitRoundResponse answer. */
                answer?: ("nothing"|"offer"|"finished");

                /**
                 * Creates a new AwaitRoundResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns AwaitRoundResponse instance
                 */
                static create(properties: sotto.federation.v1.AwaitRoundResponse.$Shape): sotto.federation.v1.AwaitRoundResponse & sotto.federation.v1.AwaitRoundResponse.$Shape;
                static create(properties?: sotto.federation.v1.AwaitRoundResponse.$Properties): sotto.federation.v1.AwaitRoundResponse;

                /**
                 * Encodes the specified AwaitRoundResponse message. Does not implicitly {@link sotto.federation.v1.AwaitRoundResponse.verify|verify} messages.
                 * @param message AwaitRoundResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.AwaitRoundResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an AwaitRoundResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.AwaitRoundResponse & sotto.federation.v1.AwaitRoundResponse.$Shape} AwaitRoundResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.AwaitRoundResponse & sotto.federation.v1.AwaitRoundResponse.$Shape;
            }

            namespace AwaitRoundResponse {

                /** Properties of an AwaitRoundResponse. */
                interface $Properties {

                    /** AwaitRoundResponse nothing */
                    nothing?: (sotto.federation.v1.Nothing.$Properties|null);

                    /** AwaitRoundResponse offer */
                    offer?: (sotto.federation.v1.RoundOffer.$Properties|null);

                    /** AwaitRoundResponse finished */
                    finished?: (sotto.federation.v1.RunFinished.$Properties|null);

                    /** AwaitRoundResponse log */
                    log?: (sotto.federation.v1.LogView.$Properties|null);

                    /** AwaitRoundResponse answer */
                    answer?: ("nothing"|"offer"|"finished");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of an AwaitRoundResponse. */
                type $Shape = {
                  nothing?: sotto.federation.v1.Nothing.$Shape|null;
                  offer?: sotto.federation.v1.RoundOffer.$Shape|null;
                  finished?: sotto.federation.v1.RunFinished.$Shape|null;
                  log?: sotto.federation.v1.LogView.$Shape|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ answer?: undefined; nothing?: null; offer?: null; finished?: null }|{ answer?: "nothing"; nothing: sotto.federation.v1.Nothing.$Shape; offer?: null; finished?: null }|{ answer?: "offer"; nothing?: null; offer: sotto.federation.v1.RoundOffer.$Shape; finished?: null }|{ answer?: "finished"; nothing?: null; offer?: null; finished: sotto.federation.v1.RunFinished.$Shape })
                );
            }

            /**
             * Properties of a Nothing.
             * @deprecated Use sotto.federation.v1.Nothing.$Properties instead.
             */
            interface INothing extends sotto.federation.v1.Nothing.$Properties {
            }

            /** Represents a Nothing. */
            class Nothing {

                /**
                 * Constructs a new Nothing.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.Nothing.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Creates a new Nothing instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns Nothing instance
                 */
                static create(properties: sotto.federation.v1.Nothing.$Shape): sotto.federation.v1.Nothing & sotto.federation.v1.Nothing.$Shape;
                static create(properties?: sotto.federation.v1.Nothing.$Properties): sotto.federation.v1.Nothing;

                /**
                 * Encodes the specified Nothing message. Does not implicitly {@link sotto.federation.v1.Nothing.verify|verify} messages.
                 * @param message Nothing message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.Nothing.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Nothing message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.Nothing & sotto.federation.v1.Nothing.$Shape} Nothing
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.Nothing & sotto.federation.v1.Nothing.$Shape;
            }

            namespace Nothing {

                /** Properties of a Nothing. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Nothing. */
                type $Shape = sotto.federation.v1.Nothing.$Properties;
            }

            /**
             * Properties of a RoundOffer.
             * @deprecated Use sotto.federation.v1.RoundOffer.$Properties instead.
             */
            interface IRoundOffer extends sotto.federation.v1.RoundOffer.$Properties {
            }

            /** Represents a RoundOffer. */
            class RoundOffer {

                /**
                 * Constructs a new RoundOffer.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.RoundOffer.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** RoundOffer round. */
                round: number;

                /** RoundOffer attempt. */
                attempt: number;

                /** RoundOffer weights. */
                weights: Uint8Array;

                /** RoundOffer deadlineMs. */
                deadlineMs: number;

                /** RoundOffer signature. */
                signature: Uint8Array;

                /**
                 * Creates a new RoundOffer instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns RoundOffer instance
                 */
                static create(properties: sotto.federation.v1.RoundOffer.$Shape): sotto.federation.v1.RoundOffer & sotto.federation.v1.RoundOffer.$Shape;
                static create(properties?: sotto.federation.v1.RoundOffer.$Properties): sotto.federation.v1.RoundOffer;

                /**
                 * Encodes the specified RoundOffer message. Does not implicitly {@link sotto.federation.v1.RoundOffer.verify|verify} messages.
                 * @param message RoundOffer message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.RoundOffer.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RoundOffer message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.RoundOffer & sotto.federation.v1.RoundOffer.$Shape} RoundOffer
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.RoundOffer & sotto.federation.v1.RoundOffer.$Shape;
            }

            namespace RoundOffer {

                /** Properties of a RoundOffer. */
                interface $Properties {

                    /** RoundOffer round */
                    round?: (number|null);

                    /** RoundOffer attempt */
                    attempt?: (number|null);

                    /** RoundOffer weights */
                    weights?: (Uint8Array|null);

                    /** RoundOffer deadlineMs */
                    deadlineMs?: (number|null);

                    /** RoundOffer signature */
                    signature?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RoundOffer. */
                type $Shape = sotto.federation.v1.RoundOffer.$Properties;
            }

            /**
             * Properties of a RunFinished.
             * @deprecated Use sotto.federation.v1.RunFinished.$Properties instead.
             */
            interface IRunFinished extends sotto.federation.v1.RunFinished.$Properties {
            }

            /** Represents a RunFinished. */
            class RunFinished {

                /**
                 * Constructs a new RunFinished.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.RunFinished.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** RunFinished published. */
                published: number;

                /** RunFinished aborted. */
                aborted: number;

                /** RunFinished weights. */
                weights: Uint8Array;

                /**
                 * Creates a new RunFinished instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns RunFinished instance
                 */
                static create(properties: sotto.federation.v1.RunFinished.$Shape): sotto.federation.v1.RunFinished & sotto.federation.v1.RunFinished.$Shape;
                static create(properties?: sotto.federation.v1.RunFinished.$Properties): sotto.federation.v1.RunFinished;

                /**
                 * Encodes the specified RunFinished message. Does not implicitly {@link sotto.federation.v1.RunFinished.verify|verify} messages.
                 * @param message RunFinished message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.RunFinished.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a RunFinished message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.RunFinished & sotto.federation.v1.RunFinished.$Shape} RunFinished
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.RunFinished & sotto.federation.v1.RunFinished.$Shape;
            }

            namespace RunFinished {

                /** Properties of a RunFinished. */
                interface $Properties {

                    /** RunFinished published */
                    published?: (number|null);

                    /** RunFinished aborted */
                    aborted?: (number|null);

                    /** RunFinished weights */
                    weights?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a RunFinished. */
                type $Shape = sotto.federation.v1.RunFinished.$Properties;
            }

            /**
             * Properties of a StageRequest.
             * @deprecated Use sotto.federation.v1.StageRequest.$Properties instead.
             */
            interface IStageRequest extends sotto.federation.v1.StageRequest.$Properties {
            }

            /** Represents a StageRequest. */
            class StageRequest {

                /**
                 * Constructs a new StageRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.StageRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** StageRequest round. */
                round: number;

                /** StageRequest attempt. */
                attempt: number;

                /** StageRequest message. */
                message: Uint8Array;

                /**
                 * Creates a new StageRequest instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns StageRequest instance
                 */
                static create(properties: sotto.federation.v1.StageRequest.$Shape): sotto.federation.v1.StageRequest & sotto.federation.v1.StageRequest.$Shape;
                static create(properties?: sotto.federation.v1.StageRequest.$Properties): sotto.federation.v1.StageRequest;

                /**
                 * Encodes the specified StageRequest message. Does not implicitly {@link sotto.federation.v1.StageRequest.verify|verify} messages.
                 * @param message StageRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.StageRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a StageRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.StageRequest & sotto.federation.v1.StageRequest.$Shape} StageRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.StageRequest & sotto.federation.v1.StageRequest.$Shape;
            }

            namespace StageRequest {

                /** Properties of a StageRequest. */
                interface $Properties {

                    /** StageRequest round */
                    round?: (number|null);

                    /** StageRequest attempt */
                    attempt?: (number|null);

                    /** StageRequest message */
                    message?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a StageRequest. */
                type $Shape = sotto.federation.v1.StageRequest.$Properties;
            }

            /**
             * Properties of a StageResponse.
             * @deprecated Use sotto.federation.v1.StageResponse.$Properties instead.
             */
            interface IStageResponse extends sotto.federation.v1.StageResponse.$Properties {
            }

            /** Represents a StageResponse. */
            class StageResponse {

                /**
                 * Constructs a new StageResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.StageResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** StageResponse message. */
                message: Uint8Array;

                /**
                 * Creates a new StageResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns StageResponse instance
                 */
                static create(properties: sotto.federation.v1.StageResponse.$Shape): sotto.federation.v1.StageResponse & sotto.federation.v1.StageResponse.$Shape;
                static create(properties?: sotto.federation.v1.StageResponse.$Properties): sotto.federation.v1.StageResponse;

                /**
                 * Encodes the specified StageResponse message. Does not implicitly {@link sotto.federation.v1.StageResponse.verify|verify} messages.
                 * @param message StageResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.StageResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a StageResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.StageResponse & sotto.federation.v1.StageResponse.$Shape} StageResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.StageResponse & sotto.federation.v1.StageResponse.$Shape;
            }

            namespace StageResponse {

                /** Properties of a StageResponse. */
                interface $Properties {

                    /** StageResponse message */
                    message?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a StageResponse. */
                type $Shape = sotto.federation.v1.StageResponse.$Properties;
            }

            /**
             * Properties of a MaskedInputRequest.
             * @deprecated Use sotto.federation.v1.MaskedInputRequest.$Properties instead.
             */
            interface IMaskedInputRequest extends sotto.federation.v1.MaskedInputRequest.$Properties {
            }

            /** Represents a MaskedInputRequest. */
            class MaskedInputRequest {

                /**
                 * Constructs a new MaskedInputRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.MaskedInputRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** MaskedInputRequest head. */
                head?: (sotto.federation.v1.MaskedInputHead.$Properties|null);

                /** MaskedInputRequest chunk. */
                chunk?: (Uint8Array|null);

                /** MaskedInputRequest part. */
                part?: ("head"|"chunk");

                /**
                 * Creates a new MaskedInputRequest instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns MaskedInputRequest instance
                 */
                static create(properties: sotto.federation.v1.MaskedInputRequest.$Shape): sotto.federation.v1.MaskedInputRequest & sotto.federation.v1.MaskedInputRequest.$Shape;
                static create(properties?: sotto.federation.v1.MaskedInputRequest.$Properties): sotto.federation.v1.MaskedInputRequest;

                /**
                 * Encodes the specified MaskedInputRequest message. Does not implicitly {@link sotto.federation.v1.MaskedInputRequest.verify|verify} messages.
                 * @param message MaskedInputRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.MaskedInputRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a MaskedInputRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.MaskedInputRequest & sotto.federation.v1.MaskedInputRequest.$Shape} MaskedInputRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.MaskedInputRequest & sotto.federation.v1.MaskedInputRequest.$Shape;
            }

            namespace MaskedInputRequest {

                /** Properties of a MaskedInputRequest. */
                interface $Properties {

                    /** MaskedInputRequest head */
                    head?: (sotto.federation.v1.MaskedInputHead.$Properties|null);

                    /** MaskedInputRequest chunk */
                    chunk?: (Uint8Array|null);

                    /** MaskedInputRequest part */
                    part?: ("head"|"chunk");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a MaskedInputRequest. */
                type $Shape = {
                  head?: sotto.federation.v1.MaskedInputHead.$Shape|null;
                  chunk?: Uint8Array|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ part?: undefined; head?: null; chunk?: null }|{ part?: "head"; head: sotto.federation.v1.MaskedInputHead.$Shape; chunk?: null }|{ part?: "chunk"; head?: null; chunk: Uint8Array })
                );
            }

            /**
             * Properties of a MaskedInputHead.
             * @deprecated Use sotto.federation.v1.MaskedInputHead.$Properties instead.
             */
            interface IMaskedInputHead extends sotto.federation.v1.MaskedInputHead.$Properties {
            }

            /** Represents a MaskedInputHead. */
            class MaskedInputHead {

                /**
                 * Constructs a new MaskedInputHead.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.MaskedInputHead.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** MaskedInputHead round. */
                round: number;

                /** MaskedInputHead attempt. */
                attempt: number;

                /** MaskedInputHead totalBytes. */
                totalBytes: number;

                /** MaskedInputHead evidence. */
                evidence: Uint8Array;

                /**
                 * Creates a new MaskedInputHead instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns MaskedInputHead instance
                 */
                static create(properties: sotto.federation.v1.MaskedInputHead.$Shape): sotto.federation.v1.MaskedInputHead & sotto.federation.v1.MaskedInputHead.$Shape;
                static create(properties?: sotto.federation.v1.MaskedInputHead.$Properties): sotto.federation.v1.MaskedInputHead;

                /**
                 * Encodes the specified MaskedInputHead message. Does not implicitly {@link sotto.federation.v1.MaskedInputHead.verify|verify} messages.
                 * @param message MaskedInputHead message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.MaskedInputHead.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a MaskedInputHead message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.MaskedInputHead & sotto.federation.v1.MaskedInputHead.$Shape} MaskedInputHead
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.MaskedInputHead & sotto.federation.v1.MaskedInputHead.$Shape;
            }

            namespace MaskedInputHead {

                /** Properties of a MaskedInputHead. */
                interface $Properties {

                    /** MaskedInputHead round */
                    round?: (number|null);

                    /** MaskedInputHead attempt */
                    attempt?: (number|null);

                    /** MaskedInputHead totalBytes */
                    totalBytes?: (number|null);

                    /** MaskedInputHead evidence */
                    evidence?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a MaskedInputHead. */
                type $Shape = sotto.federation.v1.MaskedInputHead.$Properties;
            }

            /**
             * Properties of a PublishLedgerRequest.
             * @deprecated Use sotto.federation.v1.PublishLedgerRequest.$Properties instead.
             */
            interface IPublishLedgerRequest extends sotto.federation.v1.PublishLedgerRequest.$Properties {
            }

            /** Represents a PublishLedgerRequest. */
            class PublishLedgerRequest {

                /**
                 * Constructs a new PublishLedgerRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.PublishLedgerRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** PublishLedgerRequest checkpoint. */
                checkpoint?: (Uint8Array|null);

                /** PublishLedgerRequest entry. */
                entry?: (Uint8Array|null);

                /** PublishLedgerRequest part. */
                part?: ("checkpoint"|"entry");

                /**
                 * Creates a new PublishLedgerRequest instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns PublishLedgerRequest instance
                 */
                static create(properties: sotto.federation.v1.PublishLedgerRequest.$Shape): sotto.federation.v1.PublishLedgerRequest & sotto.federation.v1.PublishLedgerRequest.$Shape;
                static create(properties?: sotto.federation.v1.PublishLedgerRequest.$Properties): sotto.federation.v1.PublishLedgerRequest;

                /**
                 * Encodes the specified PublishLedgerRequest message. Does not implicitly {@link sotto.federation.v1.PublishLedgerRequest.verify|verify} messages.
                 * @param message PublishLedgerRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.PublishLedgerRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a PublishLedgerRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.PublishLedgerRequest & sotto.federation.v1.PublishLedgerRequest.$Shape} PublishLedgerRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.PublishLedgerRequest & sotto.federation.v1.PublishLedgerRequest.$Shape;
            }

            namespace PublishLedgerRequest {

                /** Properties of a PublishLedgerRequest. */
                interface $Properties {

                    /** PublishLedgerRequest checkpoint */
                    checkpoint?: (Uint8Array|null);

                    /** PublishLedgerRequest entry */
                    entry?: (Uint8Array|null);

                    /** PublishLedgerRequest part */
                    part?: ("checkpoint"|"entry");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a PublishLedgerRequest. */
                type $Shape = {
                  checkpoint?: Uint8Array|null;
                  entry?: Uint8Array|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ part?: undefined; checkpoint?: null; entry?: null }|{ part?: "checkpoint"; checkpoint: Uint8Array; entry?: null }|{ part?: "entry"; checkpoint?: null; entry: Uint8Array })
                );
            }

            /**
             * Properties of a PublishLedgerResponse.
             * @deprecated Use sotto.federation.v1.PublishLedgerResponse.$Properties instead.
             */
            interface IPublishLedgerResponse extends sotto.federation.v1.PublishLedgerResponse.$Properties {
            }

            /** Represents a PublishLedgerResponse. */
            class PublishLedgerResponse {

                /**
                 * Constructs a new PublishLedgerResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.PublishLedgerResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** PublishLedgerResponse size. */
                size: number;

                /**
                 * Creates a new PublishLedgerResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns PublishLedgerResponse instance
                 */
                static create(properties: sotto.federation.v1.PublishLedgerResponse.$Shape): sotto.federation.v1.PublishLedgerResponse & sotto.federation.v1.PublishLedgerResponse.$Shape;
                static create(properties?: sotto.federation.v1.PublishLedgerResponse.$Properties): sotto.federation.v1.PublishLedgerResponse;

                /**
                 * Encodes the specified PublishLedgerResponse message. Does not implicitly {@link sotto.federation.v1.PublishLedgerResponse.verify|verify} messages.
                 * @param message PublishLedgerResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.PublishLedgerResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a PublishLedgerResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.PublishLedgerResponse & sotto.federation.v1.PublishLedgerResponse.$Shape} PublishLedgerResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.PublishLedgerResponse & sotto.federation.v1.PublishLedgerResponse.$Shape;
            }

            namespace PublishLedgerResponse {

                /** Properties of a PublishLedgerResponse. */
                interface $Properties {

                    /** PublishLedgerResponse size */
                    size?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a PublishLedgerResponse. */
                type $Shape = sotto.federation.v1.PublishLedgerResponse.$Properties;
            }

            /**
             * Properties of a GetTrustBundleRequest.
             * @deprecated Use sotto.federation.v1.GetTrustBundleRequest.$Properties instead.
             */
            interface IGetTrustBundleRequest extends sotto.federation.v1.GetTrustBundleRequest.$Properties {
            }

            /** Represents a GetTrustBundleRequest. */
            class GetTrustBundleRequest {

                /**
                 * Constructs a new GetTrustBundleRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.GetTrustBundleRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Creates a new GetTrustBundleRequest instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns GetTrustBundleRequest instance
                 */
                static create(properties: sotto.federation.v1.GetTrustBundleRequest.$Shape): sotto.federation.v1.GetTrustBundleRequest & sotto.federation.v1.GetTrustBundleRequest.$Shape;
                static create(properties?: sotto.federation.v1.GetTrustBundleRequest.$Properties): sotto.federation.v1.GetTrustBundleRequest;

                /**
                 * Encodes the specified GetTrustBundleRequest message. Does not implicitly {@link sotto.federation.v1.GetTrustBundleRequest.verify|verify} messages.
                 * @param message GetTrustBundleRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.GetTrustBundleRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetTrustBundleRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.GetTrustBundleRequest & sotto.federation.v1.GetTrustBundleRequest.$Shape} GetTrustBundleRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.GetTrustBundleRequest & sotto.federation.v1.GetTrustBundleRequest.$Shape;
            }

            namespace GetTrustBundleRequest {

                /** Properties of a GetTrustBundleRequest. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetTrustBundleRequest. */
                type $Shape = sotto.federation.v1.GetTrustBundleRequest.$Properties;
            }

            /**
             * Properties of a GetTrustBundleResponse.
             * @deprecated Use sotto.federation.v1.GetTrustBundleResponse.$Properties instead.
             */
            interface IGetTrustBundleResponse extends sotto.federation.v1.GetTrustBundleResponse.$Properties {
            }

            /** Represents a GetTrustBundleResponse. */
            class GetTrustBundleResponse {

                /**
                 * Constructs a new GetTrustBundleResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.GetTrustBundleResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** GetTrustBundleResponse trustBundle. */
                trustBundle: Uint8Array;

                /**
                 * Creates a new GetTrustBundleResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns GetTrustBundleResponse instance
                 */
                static create(properties: sotto.federation.v1.GetTrustBundleResponse.$Shape): sotto.federation.v1.GetTrustBundleResponse & sotto.federation.v1.GetTrustBundleResponse.$Shape;
                static create(properties?: sotto.federation.v1.GetTrustBundleResponse.$Properties): sotto.federation.v1.GetTrustBundleResponse;

                /**
                 * Encodes the specified GetTrustBundleResponse message. Does not implicitly {@link sotto.federation.v1.GetTrustBundleResponse.verify|verify} messages.
                 * @param message GetTrustBundleResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.GetTrustBundleResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetTrustBundleResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.GetTrustBundleResponse & sotto.federation.v1.GetTrustBundleResponse.$Shape} GetTrustBundleResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.GetTrustBundleResponse & sotto.federation.v1.GetTrustBundleResponse.$Shape;
            }

            namespace GetTrustBundleResponse {

                /** Properties of a GetTrustBundleResponse. */
                interface $Properties {

                    /** GetTrustBundleResponse trustBundle */
                    trustBundle?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetTrustBundleResponse. */
                type $Shape = sotto.federation.v1.GetTrustBundleResponse.$Properties;
            }

            /**
             * Properties of an EnrolRequest.
             * @deprecated Use sotto.federation.v1.EnrolRequest.$Properties instead.
             */
            interface IEnrolRequest extends sotto.federation.v1.EnrolRequest.$Properties {
            }

            /** Represents an EnrolRequest. */
            class EnrolRequest {

                /**
                 * Constructs a new EnrolRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.EnrolRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** EnrolRequest protocolVersion. */
                protocolVersion: number;

                /** EnrolRequest token. */
                token: Uint8Array;

                /** EnrolRequest id. */
                id: string;

                /** EnrolRequest role. */
                role: string;

                /** EnrolRequest certificateRequest. */
                certificateRequest: Uint8Array;

                /** EnrolRequest signingKey. */
                signingKey: Uint8Array;

                /** EnrolRequest signingProof. */
                signingProof: Uint8Array;

                /** EnrolRequest ledgerKey. */
                ledgerKey: Uint8Array;

                /** EnrolRequest ledgerProof. */
                ledgerProof: Uint8Array;

                /** EnrolRequest serverNames. */
                serverNames: string[];

                /**
                 * Creates a new EnrolRequest instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns EnrolRequest instance
                 */
                static create(properties: sotto.federation.v1.EnrolRequest.$Shape): sotto.federation.v1.EnrolRequest & sotto.federation.v1.EnrolRequest.$Shape;
                static create(properties?: sotto.federation.v1.EnrolRequest.$Properties): sotto.federation.v1.EnrolRequest;

                /**
                 * Encodes the specified EnrolRequest message. Does not implicitly {@link sotto.federation.v1.EnrolRequest.verify|verify} messages.
                 * @param message EnrolRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.EnrolRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an EnrolRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.EnrolRequest & sotto.federation.v1.EnrolRequest.$Shape} EnrolRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.EnrolRequest & sotto.federation.v1.EnrolRequest.$Shape;
            }

            namespace EnrolRequest {

                /** Properties of an EnrolRequest. */
                interface $Properties {

                    /** EnrolRequest protocolVersion */
                    protocolVersion?: (number|null);

                    /** EnrolRequest token */
                    token?: (Uint8Array|null);

                    /** EnrolRequest id */
                    id?: (string|null);

                    /** EnrolRequest role */
                    role?: (string|null);

                    /** EnrolRequest certificateRequest */
                    certificateRequest?: (Uint8Array|null);

                    /** EnrolRequest signingKey */
                    signingKey?: (Uint8Array|null);

                    /** EnrolRequest signingProof */
                    signingProof?: (Uint8Array|null);

                    /** EnrolRequest ledgerKey */
                    ledgerKey?: (Uint8Array|null);

                    /** EnrolRequest ledgerProof */
                    ledgerProof?: (Uint8Array|null);

                    /** EnrolRequest serverNames */
                    serverNames?: (string[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an EnrolRequest. */
                type $Shape = sotto.federation.v1.EnrolRequest.$Properties;
            }

            /**
             * Properties of an EnrolResponse.
             * @deprecated Use sotto.federation.v1.EnrolResponse.$Properties instead.
             */
            interface IEnrolResponse extends sotto.federation.v1.EnrolResponse.$Properties {
            }

            /** Represents an EnrolResponse. */
            class EnrolResponse {

                /**
                 * Constructs a new EnrolResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: sotto.federation.v1.EnrolResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** EnrolResponse tlsCertificate. */
                tlsCertificate: Uint8Array;

                /** EnrolResponse identityCertificate. */
                identityCertificate: Uint8Array;

                /**
                 * Creates a new EnrolResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns EnrolResponse instance
                 */
                static create(properties: sotto.federation.v1.EnrolResponse.$Shape): sotto.federation.v1.EnrolResponse & sotto.federation.v1.EnrolResponse.$Shape;
                static create(properties?: sotto.federation.v1.EnrolResponse.$Properties): sotto.federation.v1.EnrolResponse;

                /**
                 * Encodes the specified EnrolResponse message. Does not implicitly {@link sotto.federation.v1.EnrolResponse.verify|verify} messages.
                 * @param message EnrolResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: sotto.federation.v1.EnrolResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an EnrolResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {sotto.federation.v1.EnrolResponse & sotto.federation.v1.EnrolResponse.$Shape} EnrolResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): sotto.federation.v1.EnrolResponse & sotto.federation.v1.EnrolResponse.$Shape;
            }

            namespace EnrolResponse {

                /** Properties of an EnrolResponse. */
                interface $Properties {

                    /** EnrolResponse tlsCertificate */
                    tlsCertificate?: (Uint8Array|null);

                    /** EnrolResponse identityCertificate */
                    identityCertificate?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an EnrolResponse. */
                type $Shape = sotto.federation.v1.EnrolResponse.$Properties;
            }
        }
    }
}
