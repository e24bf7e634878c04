declare module "virtual:redoc" {
  const url: string;
  export default url;
}
