import type { Logger } from "pino";
import type { Ambient } from "./ambient.ts";
import type { Service } from "./cli/serve.ts";
import type { Settings } from "./config.ts";
import { setupRules } from "./domain/setup.ts";
import { bySystem } from "./domain/system.ts";
import { tokenMaker } from "./domain/tokens.ts";
import { createVerification } from "./domain/verification.ts";
import { createClientAddress } from "./http/address.ts";
import { createApp } from "./http/app.ts";
import { createAuthenticate } from "./http/authenticate.ts";
import { openDashboard } from "./http/dashboard.ts";
import { createFront } from "./http/front.ts";
import { invitationLinkRoutes } from "./http/invitation-links.ts";
import { ownOriginRule } from "./http/origin.ts";
import { passwordHashes } from "./http/password-hashes.ts";
import { renewSessions } from "./http/session-renewal.ts";
import { setupRoutes } from "./http/setup.ts";
import { createSignIn } from "./http/sign-in.ts";
import { signInLinkOpening } from "./http/sign-in-links.ts";
import { signInMails } from "./http/sign-in-mails.ts";
import { createVerifiers } from "./http/verifiers.ts";
import { openMail } from "./mail.ts";
import { openMetrics } from "./metrics/open-metrics.ts";
import { openStore } from "./open-store.ts";

/** How often what has outlived its use is deleted. */
const SWEEP_EVERY_MS = 60 * 60_000;

/** Of the management API, in its OpenAPI document. */
const API_VERSION = "1";

/**
 * Puts the rooms together and serves: store, verification, management, dashboard, and the hot route in front.
 *
 * @param options.version Of this build.
 * @throws What {@link openStore} throws, SettingsError when the port of the metrics cannot be listened on, or an error
 *   of node:net when the address cannot.
 */
export async function startService(options: {
  settings: Settings;
  ambient: Ambient;
  logger: Logger;
  version: string;
}): Promise<Service> {
  const { settings, ambient, logger } = options;
  const { publicUrl } = settings;
  const { store, db, type, onChange } = await openStore(settings, ambient);
  const metrics = openMetrics({
    port: settings.metricsPort,
    status: () => verification.status(),
    version: options.version,
    logger,
    monoMs: ambient.monoMs,
  });
  const verification = createVerification({
    store,
    ambient,
    logger,
    leaseMs: settings.leaseMs,
    label: settings.nodeName,
    callersKept: settings.callersKept,
    onRevocation: metrics.onRevocation,
  });
  const { barrier, ready } = verification;
  const verify = metrics.measured(verification.verify);
  const makeToken = tokenMaker(ambient.randomBytes, settings.brand);
  const ownOrigin = ownOriginRule(publicUrl);
  const mail = openMail(settings.mail);
  const passwords = passwordHashes();
  const signIn = createSignIn({
    store,
    passwords,
    signUpOpen: settings.signUpOpen,
    mails:
      mail === null ? null : signInMails({ send: mail.send, whenKept: store.whenKept, logger }),
    db,
    dbType: type,
    ambient,
    logger,
    secret: settings.secret,
    publicUrl,
    ownOrigin,
  });
  const setup = setupRules({ store, ambient, makeToken, hashPassword: passwords.hash });
  const dashboard = await openDashboard({
    ambient,
    https: publicUrl?.startsWith("https:") ?? false,
  });
  const app = createApp({
    store,
    barrier,
    ambient,
    makeToken,
    verify,
    ready,
    ownOrigin,
    logger,
    session: signIn.session,
    signUpOpen: settings.signUpOpen,
    mail: mail?.send ?? null,
    keepResetToken: signIn.keepResetToken,
    version: API_VERSION,
    mount(routes) {
      routes.route(
        "/",
        setupRoutes({ rules: setup, signIn, ownOrigin, ambient, logger, settings }),
      );
      routes.route(
        "/",
        invitationLinkRoutes({
          store,
          ambient,
          hashPassword: passwords.hash,
          signIn,
          ownOrigin,
          logger,
        }),
      );
      routes.route("/", signInLinkOpening({ store, signIn, ownOrigin, ambient }));
      routes.all("/auth/*", (c) => signIn.handle(c.req.raw, c.env));
    },
    fallback: dashboard,
  });
  const requestId = (): string => ambient.randomId("req");
  const verifiers = createVerifiers({ below: verification.below, store, ambient, logger });
  const clientAddress = createClientAddress(settings.trustedProxies);
  const front = createFront({
    verifiers,
    authenticate: createAuthenticate({
      verify,
      clientAddress,
      onFailure: (err, id) => logger.error({ err, requestId: id }, "a verification failed"),
    }),
    app: renewSessions(app, { signIn, logger }),
    clientAddress,
    requestId,
  });

  let cancelSweep = (): void => {};
  function sweepLater(): void {
    cancelSweep = ambient.after(SWEEP_EVERY_MS, () => {
      store
        .sweep(ambient.nowMs(), settings.usageKept, settings.auditKeptMs)
        .then(() => store.deleteStrangers(bySystem(ambient), () => ambient.sortableId("evt")))
        .catch((err: unknown) => logger.error({ err }, "the sweep failed"))
        .finally(sweepLater);
    });
  }

  try {
    await metrics.listen();
    await verification.start();
    onChange(barrier.publish);
    const { port } = await front.listen(settings.host, settings.port);
    sweepLater();
    const host = settings.host.includes(":") ? `[${settings.host}]` : settings.host;
    const url = `http://${host}:${port}`;
    logger.info({ url, leaseMs: settings.leaseMs }, "listening");
    return {
      url,
      setup,
      async close() {
        cancelSweep();
        const drained = front.close();
        await verification.dismissBelow();
        verifiers.close();
        await drained;
        await verification.stop();
        await metrics.close();
        mail?.close();
        await store.close();
      },
    };
  } catch (error) {
    await metrics.close();
    await verification.stop();
    await store.close();
    throw error;
  }
}
